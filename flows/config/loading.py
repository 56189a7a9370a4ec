"""YAML file, then ``--set a.b=c``, then a frozen model; errors name the key, the rule and the value."""

from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from features.errors import InputError

Model = TypeVar("Model", bound=BaseModel)


class UnknownKeyError(InputError):
    """No configuration of that kind has such a key, whatever else is in it."""


def load_config(kind: type[Model], path: Path | None, settings: Iterable[str] = (), uri: str | None = None) -> Model:
    """Read a configuration of that kind; ``uri`` replaces the file's data.uri, and settings come last.

    Raises InputError for anything it does not understand.
    """
    values = read_yaml(path) if path else {}
    if uri is not None:
        put(values, "data.uri", uri)
    return checked(kind, changed(values, settings))


def changed(values: dict[str, Any], settings: Iterable[str]) -> dict[str, Any]:
    """The values with each ``key.subkey=value`` in place. Raises InputError for a setting that is none."""
    for setting in settings:
        put(values, *parse_setting(setting), setting)
    return values


def from_text(kind: type[Model], text: str) -> Model:
    """The configuration of a YAML text, as ``load_config`` reads it from a file."""
    return checked(kind, yaml.safe_load(text) or {})


def checked(kind: type[Model], values: dict[str, Any], prefix: str = "") -> Model:
    """Check values. Raises InputError naming the key, after ``prefix``, and the rule."""
    try:
        return kind.model_validate(values)
    except ValidationError as error:
        raise _explain(kind, error, prefix) from error


def read_yaml(path: Path, field: str = "--config") -> dict[str, Any]:
    """The keys and values of a file. Raises InputError naming ``field`` for anything else."""
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(field, f"must name a readable file ({error.strerror})", str(path)) from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InputError(field, f"{path} must be YAML: {' '.join(str(error).split())}") from error
    if values is None:
        return {}
    if not isinstance(values, dict):
        raise InputError(field, f"{path} must hold keys and values", type(values).__name__)
    return values


def parse_setting(setting: str) -> tuple[str, Any]:
    """Key and value of ``key.subkey=value``. Raises InputError when it is none."""
    key, equals, text = setting.partition("=")
    if not equals or not key:
        raise InputError("--set", "must be written key.subkey=value", setting)
    try:
        return key, yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise InputError("--set", f"the value of {key} must be YAML", text) from error


def put(values: dict[str, Any], key: str, value: Any, setting: str = "") -> None:
    """Set one value in place, making the sections it is in. Raises InputError when one of them is a value."""
    *parents, leaf = key.split(".")
    for parent in parents:
        child = values.setdefault(parent, {})
        if not isinstance(child, dict):
            raise InputError("--set", f"{parent!r} is a value, not a section", setting or key)
        values = child
    values[leaf] = value


def _explain(kind: type[BaseModel], error: ValidationError, prefix: str) -> InputError:
    first = error.errors()[0]
    path = [str(part) for part in first["loc"]]
    within = ".".join(path)
    key = (prefix + within).rstrip(".") or "configuration"
    if first["type"] == "extra_forbidden":
        known = _known_keys(kind)
        near = get_close_matches(within, known, n=1, cutoff=0.5) or get_close_matches(
            path[-1], [k.rpartition(".")[2] for k in known], n=1
        )
        hint = f"; did you mean {near[0]!r}?" if near else f"; known keys: {', '.join(known)}"
        return UnknownKeyError(key, f"is not a known key{hint}")
    rule = first["msg"].removeprefix("Value error, ")
    return InputError(key, rule[0].lower() + rule[1:], first["input"] if path else ...)


def _known_keys(kind: type[BaseModel], prefix: str = "") -> list[str]:
    keys = []
    for name, field in kind.model_fields.items():
        keys.append(prefix + name)
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            keys += _known_keys(field.annotation, f"{prefix}{name}.")
    return keys
