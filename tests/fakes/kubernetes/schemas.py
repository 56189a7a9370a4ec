"""Custom objects against the schema of their kind, as the API server looks at them: defaults, pruning, causes."""

import json
from collections.abc import Iterator
from functools import cache
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from tests.fakes.kubernetes.answers import ApiError, invalid
from tests.fakes.kubernetes.kinds import Kind

Json = dict[str, Any]


@cache
def _validator(file: str) -> Draft202012Validator:
    with open(file, encoding="utf-8") as opened:
        return Draft202012Validator(json.load(opened))


def with_defaults(kind: Kind, found: Json) -> Json:
    """The object with the schema's defaults filled in and nulls dropped where null is no value."""
    if not kind.schema:
        return found
    schema = _validator(kind.schema).schema
    filled: Json = _filled(found, schema, schema.get("$defs", {}))
    return filled


def _filled(value: Any, schema: Any, shared: Json) -> Any:
    schema = _resolved(schema, shared)
    if isinstance(value, list):
        return [_filled(one, schema.get("items", {}), shared) for one in value]
    if not isinstance(value, dict):
        return value
    fields, others = schema.get("properties", {}), schema.get("additionalProperties", {})
    kept = {key: one for key, one in value.items() if one is not None or _nullable(fields.get(key), shared)}
    for key, rule in fields.items():
        told = _resolved(rule, shared)
        if key not in kept and "default" in told:
            kept[key] = told["default"]
    return {key: _filled(one, fields.get(key, others), shared) for key, one in kept.items()}


def _resolved(schema: Any, shared: Json) -> Json:
    if not isinstance(schema, dict):
        return {}
    reference = schema.get("$ref")
    return {**shared[reference.rpartition("/")[2]], **schema} if reference else schema


def _nullable(schema: Any, shared: Json) -> bool:
    kinds = _resolved(schema, shared).get("type", [])
    return schema is None or not kinds or "null" in kinds


def unknown_fields(kind: Kind, found: Json) -> list[str]:
    """Paths of fields that the schema does not know; removed from ``found``, as the API server prunes them."""
    if not kind.schema:
        return []
    names = []
    for error in list(_validator(kind.schema).iter_errors(found)):
        if error.validator == "additionalProperties" and error.validator_value is False:
            place: Any = found
            for step in error.absolute_path:
                place = place[step]
            for name in sorted(set(place) - set(error.schema.get("properties", {}))):
                del place[name]
                names.append(_path([*error.absolute_path, name]))
    return names


def check(kind: Kind, found: Json) -> None:
    """Raise ApiError 422 naming every field that the schema refuses."""
    if not kind.schema:
        return
    causes = tuple(_cause(leaf) for error in _validator(kind.schema).iter_errors(found) for leaf in _leaves(error))
    if causes:
        raise _invalid(kind, found, causes)


def _invalid(kind: Kind, found: Json, causes: tuple[tuple[str, str, str], ...]) -> ApiError:
    return invalid(kind, found["metadata"].get("name", ""), causes)


def _leaves(error: ValidationError) -> Iterator[ValidationError]:
    if error.context and error.validator == "allOf":
        for one in error.context:
            yield from _leaves(one)
    else:
        yield error


def _cause(error: ValidationError) -> tuple[str, str, str]:
    field = _path(error.absolute_path)
    if error.validator == "required":
        missing = next(name for name in error.validator_value if name not in error.instance)
        return "FieldValueRequired", "Required value", f"{field}.{missing}".lstrip(".")
    if error.validator == "enum":
        known = ", ".join(f'"{one}"' for one in error.validator_value)
        return "FieldValueNotSupported", f'Unsupported value: "{error.instance}": supported values: {known}', field
    shown = json.dumps(error.instance)[:200]
    if error.validator == "type":
        return "FieldValueTypeInvalid", f"Invalid value: {shown}: must be of type {error.validator_value}", field
    return "FieldValueInvalid", f"Invalid value: {shown}: {error.message[:200]}", field


def _path(steps: Any) -> str:
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps)
    return text.lstrip(".") or "<nil>"
