"""A configuration as commented YAML that loads back to the same values."""

import textwrap
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import yaml

from flows.config.suggestion import Setting, Suggestion

_WIDTH = 110
_MOST_HINTS = 20


def tree_of(settings: Iterable[Setting]) -> dict[str, Any]:
    """section -> key -> value, in the order of the settings; a setting without key is a value by itself."""
    tree: dict[str, Any] = {}
    for setting in settings:
        if setting.key:
            tree.setdefault(setting.section, {})[setting.key] = setting.value
        else:
            tree[setting.section] = setting.value
    return tree


def render(tree: Mapping[str, Any], suggestion: Suggestion, heading: Sequence[str]) -> str:
    """The tree as YAML, each value under the reason of its suggestion, or "given" where it is another value.

    Suggested expectations stay comments, since a sample cannot prove them.
    """
    known = {(setting.section, setting.key): setting for setting in suggestion.settings}
    lines = list(_comments(heading))
    for section, values in tree.items():
        lines.append("")
        if not isinstance(values, dict) or not values:
            lines += [*_comments(_reasons(known.get((section, "")), values)), *_dumped({section: values})]
            continue
        lines.append(f"{section}:")
        for key, value in values.items():
            lines += _comments(_reasons(known.get((section, key)), value), "  ")
            lines += _dumped({section: {key: value}})[1:]
        if section == "validation" and "expectations" not in values:
            lines += [f"  # {line}" for line in _expectations(suggestion)]
    if "validation" not in tree and (wanted := list(_expectations(suggestion))):
        inside = [f"  {line}" for line in wanted[1:]]
        lines += ["", *(f"# {line}" for line in (wanted[0], "validation:", *inside))]
    return "\n".join(lines) + "\n"


def _reasons(setting: Setting | None, value: Any) -> Sequence[str]:
    return setting.reasons if setting is not None and setting.value == value else ("given",)


def _expectations(suggestion: Suggestion) -> Iterable[str]:
    """A sentence, then YAML lines of the section validation."""
    hints = []
    for name in suggestion.nonnegative[:_MOST_HINTS]:
        kwargs = {"column": name, "min_value": 0}
        expectation = {"type": "expect_column_values_to_be_between", "kwargs": kwargs, "grade": "implausible"}
        hints.append(f"- {_yaml(expectation, True, 10**9).strip()}")
    if hints:
        more = len(suggestion.nonnegative) - len(hints)
        rest = f" (and of {more} more)" if more else ""
        yield f"The sample holds no negative value of these{rest}; where there can be none, uncomment the lines:"
        yield "expectations:"
        yield from hints


def _comments(reasons: Iterable[str], indent: str = "") -> Iterable[str]:
    """Comment lines; what a name may hold and YAML forbids in a comment becomes a space."""
    for reason in reasons:
        text = "".join(sign if sign.isprintable() else " " for sign in reason)
        lines = textwrap.wrap(text, _WIDTH, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False)
        yield from (f"{indent}# {line}" for line in lines)


def _dumped(values: Mapping[str, Any]) -> list[str]:
    """Block style, with the innermost lists and mappings of a value on one line."""
    value = next(iter(values.values()))
    if isinstance(value, dict) and value:  # a section with one key
        value = next(iter(value.values()))
    flow = None if isinstance(value, list | dict) else False
    return _yaml(values, flow, _WIDTH).rstrip("\n").split("\n")


class _Dumper(yaml.SafeDumper):
    """Escapes what cannot be printed: a next-line sign inside single quotes would not load back."""


_Dumper.add_representer(
    str,
    lambda dumper, text: dumper.represent_scalar("tag:yaml.org,2002:str", text, None if text.isprintable() else '"'),
)


def _yaml(values: Mapping[str, Any], flow: bool | None, width: int) -> str:
    text = yaml.dump(
        dict(values), Dumper=_Dumper, default_flow_style=flow, allow_unicode=True, sort_keys=False, width=width
    )
    return str(text)
