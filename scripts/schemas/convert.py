"""From a CustomResourceDefinition to strict JSON Schema (2020-12), with what JSON Schema cannot say beside it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from scripts.schemas.metadata import OBJECT_META

Schema = dict[str, Any]

_UNCHANGED = (
    *("pattern", "format", "enum", "minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems"),
    *("minProperties", "maxProperties", "multipleOf", "uniqueItems", "default", "type", "required"),
)
_OF_SCHEMAS = ("allOf", "anyOf", "oneOf")
_STABLE = re.compile(r"v(\d+)$")
_INT32 = ("int32", "int64")  # formats that JSON Schema does not know


@dataclass(frozen=True)
class Kind:
    """One kind in its newest served version. cel: path, rule and message; keyed: lists by the keys of their items."""

    group: str
    version: str
    kind: str
    plural: str
    scope: str
    served: tuple[str, ...]
    status_subresource: bool
    schema: Schema
    cel: tuple[dict[str, str], ...]
    keyed: tuple[str, ...]

    @property
    def file(self) -> str:
        return f"{self.group}/{self.kind.lower()}_{self.version}.json"


def convert(crd: dict[str, Any]) -> Kind:
    """The newest stable served version of a definition; the newest of all where none is stable."""
    spec = crd["spec"]
    served = [version for version in spec["versions"] if version.get("served")]
    chosen = max(served, key=lambda version: _age(version["name"]))
    source = chosen["schema"]["openAPIV3Schema"]
    group, kind = spec["group"], spec["names"]["kind"]
    return Kind(
        group=group,
        version=chosen["name"],
        kind=kind,
        plural=spec["names"]["plural"],
        scope=spec["scope"],
        served=tuple(version["name"] for version in served),
        status_subresource="status" in (chosen.get("subresources") or {}),
        schema=_whole(source, f"{group}/{chosen['name']}", kind),
        cel=tuple(_cel(source, "")),
        keyed=tuple(_keyed(source, "")),
    )


def _age(version: str) -> tuple[bool, list[int]]:
    return bool(_STABLE.match(version)), [int(number) for number in re.findall(r"\d+", version)]


def _whole(source: Schema, api: str, kind: str) -> Schema:
    properties = {name: strict(one) for name, one in source["properties"].items()}
    properties |= {"apiVersion": {"const": api}, "kind": {"const": kind}, "metadata": OBJECT_META}
    named = [name for name in _required(source) if name not in ("apiVersion", "kind", "metadata")]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"{api} {kind}",
        "type": "object",
        "properties": properties,
        "required": ["apiVersion", "kind", "metadata", *named],
        "additionalProperties": False,
    }


def strict(source: Schema, closed: bool = True) -> Schema:
    """One schema. closed: objects take no other key than those they list; not so below allOf, anyOf, oneOf and not."""
    made = {key: source[key] for key in _UNCHANGED if key in source and key != "required"}
    if _required(source):
        made["required"] = _required(source)
    for key in _OF_SCHEMAS:
        if key in source and not source.get("x-kubernetes-int-or-string"):
            made[key] = [strict(one, closed=False) for one in source[key]]
    if "not" in source:
        made["not"] = strict(source["not"], closed=False)
    if "items" in source:
        made["items"] = strict(source["items"], closed)
    if "properties" in source:
        made["properties"] = {name: strict(one, closed) for name, one in source["properties"].items()}
    return _extended(_typed(made, source), source, closed)


def _typed(made: Schema, source: Schema) -> Schema:
    if source.get("x-kubernetes-int-or-string"):
        made["type"] = ["integer", "string"]
    if source.get("nullable") and "type" in made:
        types = made["type"] if isinstance(made["type"], list) else [made["type"]]
        made["type"] = [*types, "null"]
        if "enum" in made and None not in made["enum"]:
            made["enum"] = [*made["enum"], None]
    if source.get("x-kubernetes-list-type") == "set":
        made["uniqueItems"] = True
    if made.get("format") in _INT32:
        del made["format"]
    if "pattern" in made:
        made["pattern"] = _pattern(made["pattern"])
    for name, bound in (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")):
        if source.get(name) is True and bound in made:
            made[name] = made.pop(bound)
    return made


def _extended(made: Schema, source: Schema, closed: bool) -> Schema:
    others = source.get("additionalProperties")
    if isinstance(others, dict):
        made["additionalProperties"] = strict(others, closed)
    elif others is None and source.get("type") == "object" and closed:
        if source.get("x-kubernetes-embedded-resource"):
            named = {"apiVersion": {"type": "string"}, "kind": {"type": "string"}, "metadata": OBJECT_META}
            made["properties"] = {**named, **made.get("properties", {})}
        if not source.get("x-kubernetes-preserve-unknown-fields"):
            made["additionalProperties"] = False
    return made


def _required(source: Schema) -> list[str]:
    """Without those that have a default: the server fills them in first."""
    inner = source.get("properties") or {}
    return [name for name in source.get("required") or () if "default" not in inner.get(name, {})]


def _pattern(pattern: str) -> str:
    """RE2 takes ``(?i)`` after the start of a pattern, Python does not."""
    if "(?i)" not in pattern:
        return pattern
    return f"(?i:{pattern.replace('(?i)', '')})"


def _cel(source: Schema, path: str) -> Iterator[dict[str, str]]:
    for rule in source.get("x-kubernetes-validations") or ():
        yield {"path": path, "rule": rule["rule"], "message": rule.get("message", "")}
    for inner, way in _children(source):
        yield from _cel(inner, path + way)


def _keyed(source: Schema, path: str) -> Iterator[str]:
    if source.get("x-kubernetes-list-type") == "map":
        yield f"{path} {','.join(source['x-kubernetes-list-map-keys'])}"
    for inner, way in _children(source):
        yield from _keyed(inner, path + way)


def _children(source: Schema) -> Iterator[tuple[Schema, str]]:
    for name, inner in (source.get("properties") or {}).items():
        yield inner, f".{name}"
    if isinstance(source.get("items"), dict):
        yield source["items"], "[]"
    if isinstance(source.get("additionalProperties"), dict):
        yield source["additionalProperties"], "[*]"
