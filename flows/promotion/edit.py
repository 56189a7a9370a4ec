"""The edit: a bundle's coordinates into the text of a RayService manifest, touching nothing but those values.

A YAML parser gives positions only; the characters between them are replaced, both texts are parsed again, and exactly
the intended values must differ.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from features.errors import InputError
from flows.promotion.additions import Splice, additions, sibling_style
from flows.promotion.check import differences
from flows.promotion.locate import APPLICATION, DEPLOYMENT, Located, Path, Target, locate
from flows.promotion.source import NULL, STRING
from flows.promotion.values import write_value

__all__ = ["APPLICATION", "DEPLOYMENT", "Change", "Edit", "Leaves", "Target"]
__all__ += ["promote_text", "read_leaves", "refuse_broken_promise", "serve_config", "set_leaves"]

Leaves = dict[tuple[str, str], str]
"""(section, key) -> value, such as ("bundle", "digest")."""
_ANY = Target()


@dataclass(frozen=True)
class Change:
    """One value; ``old`` is None where there was none. ``path`` is below ``user_config``: ``bundle.digest``."""

    path: str
    old: str | None
    new: str


@dataclass(frozen=True)
class Edit:
    """The new text, and what is new in it. No change, no difference: doing nothing is a result."""

    text: str
    changes: tuple[Change, ...] = ()


def read_leaves(text: str, target: Target = _ANY) -> Leaves:
    """The values below ``user_config.bundle`` and ``user_config.previous`` of a manifest; ``null`` reads as ""."""
    return {(section, key): _said(node) for section, key, node in locate(text, target).leaves()}


def serve_config(text: str, target: Target = _ANY) -> dict[str, Any]:
    """``serveConfigV2`` of a manifest, parsed."""
    inner = locate(text, target).inner
    try:
        config: dict[str, Any] = yaml.safe_load(inner.text)
    except yaml.YAMLError as error:
        raise inner.syntax_error(error) from error
    except ValueError as error:  # a date such as 2026-13-40
        raise inner.error(0, f"must be YAML: {error}") from error
    return config


def promote_text(text: str, bundle: Mapping[str, str], target: Target = _ANY) -> Edit:
    """``user_config.bundle`` set to uri, digest, model and version, and the old one as previous.

    No change when that digest is there already. Without an old digest, previous stays as it is. Raises InputError,
    with file, line and reason, when it cannot be done safely.
    """
    old = read_leaves(text, target)
    if old.get(("bundle", "digest")) == bundle["digest"]:
        return Edit(text)
    wanted = {("bundle", key): value for key, value in bundle.items()}
    if old.get(("bundle", "digest")):
        wanted |= {("previous", key): old.get(("bundle", key), "") for key in bundle}  # never a mix of two bundles
    return set_leaves(text, wanted, target)


def set_leaves(text: str, wanted: Mapping[tuple[str, str], str], target: Target = _ANY) -> Edit:
    """The values written in place, in the quotes they had where they stay the same string; missing ones are added.

    Raises InputError when anything but these values would change.
    """
    found = locate(text, target)
    style = sibling_style(found)
    splices: list[Splice] = []
    changes: dict[Path, Change] = {}
    missing: dict[tuple[str, str], str] = {}
    for (section, key), value in wanted.items():
        node = found.leaf(section, key)
        if node is not None and _said(node) == value and node.tag in (STRING, NULL):
            continue
        old = None if node is None else _said(node)
        changes[(*found.deployment_path, "user_config", section, key)] = Change(f"{section}.{key}", old, value)
        if node is None:
            missing[(section, key)] = value
        else:
            splices.append(_replacement(found, node, value, style))
    splices += additions(found, missing)
    new = _spliced(text, ((*found.written.span(a, b), found.written.write(put)) for a, b, put in splices))
    _insist(found, new, _spliced(found.inner.text, splices), changes, target)
    return Edit(new, tuple(changes.values()))


def refuse_broken_promise(built: str, promised: Leaves, target: Target) -> None:
    """Raise InputError when the built overlay does not say what the edited file does."""
    says = read_leaves(built, target)
    for (section, key), value in promised.items():
        if says.get((section, key)) != value:
            rule = f"must hold {section}.{key}: {value}, as the edited file does"
            raise InputError(target.file, rule, says.get((section, key)))


def _said(node: yaml.ScalarNode) -> str:
    return "" if node.tag == NULL else str(node.value)


def _replacement(found: Located, node: yaml.ScalarNode, value: str, style: str | None) -> Splice:
    begin, end = node.start_mark.index, node.end_mark.index
    put = write_value(value, style if node.tag == NULL else node.style)
    space = " " if begin == end and found.inner.text[begin - 1 : begin] == ":" else ""
    return begin, end, space + put


def _spliced(text: str, splices: Iterable[Splice]) -> str:
    parts, at = [], 0
    for begin, end, put in sorted(splices, key=lambda splice: splice[:2]):
        parts += [text[at:begin], put]
        at = end
    return "".join([*parts, text[at:]])


def _insist(found: Located, new: str, inner: str, changes: Mapping[Path, Change], target: Target) -> None:
    """Both texts, outer and inner, differ in exactly what was intended."""
    try:
        outer = {path for path, _, _ in differences(found.outer.text, new)}
        inside = {path[1:]: node and (node.tag, node.value) for path, _, node in differences(found.inner.text, inner)}
        again = locate(new, target).inner.text == inner
    except (yaml.YAMLError, InputError) as error:
        raise found.inner.error(found.deployment, f"cannot be edited safely: {error}") from error
    intended = {path: (STRING, change.new) for path, change in changes.items()}
    unintended = set(inside) ^ set(intended) | outer - {found.scalar_path}
    if unintended or inside != intended or not again:
        paths = sorted(".".join(map(str, path)) for path in unintended)
        raise found.inner.error(found.deployment, "cannot be edited without changing something else", paths)
