"""What the API server does before it validates: absent fields get their defaults, nulls go where none may be."""

import copy
from typing import Any

Schema = dict[str, Any]


def as_the_server_reads(body: Any, schema: Schema) -> Any:
    """A copy of a resource with the defaults of its schema filled in and nulls of other fields dropped."""
    return _read(body, schema, schema)


def _read(node: Any, schema: Schema, whole: Schema) -> Any:
    schema = _resolved(schema, whole)
    if isinstance(node, list):
        items = schema.get("items")
        return [_read(one, items, whole) if isinstance(items, dict) else one for one in node]
    if not isinstance(node, dict):
        return node
    known: dict[str, Schema] = schema.get("properties") or {}
    others = schema.get("additionalProperties")
    result = {}
    for key, value in node.items():
        inner = known.get(key, others if isinstance(others, dict) else {})
        if value is not None or _nullable(_resolved(inner, whole)):
            result[key] = _read(value, inner, whole)
    for key, inner in known.items():
        default = _resolved(inner, whole).get("default", inner.get("default"))
        if key not in result and default is not None:
            result[key] = _read(copy.deepcopy(default), inner, whole)
    return result


def _resolved(schema: Schema, whole: Schema) -> Schema:
    while "$ref" in schema:
        found: Any = whole
        for part in schema["$ref"].removeprefix("#/").split("/"):
            found = found[part]
        schema = found
    return schema


def _nullable(schema: Schema) -> bool:
    return not schema or "null" in schema.get("type", ()) or "x-kubernetes-preserve-unknown-fields" in schema
