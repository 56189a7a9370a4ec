"""What every configuration model shares: frozen, no unknown keys, durations written as people write them."""

import re
from datetime import timedelta
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, WithJsonSchema

from features.errors import InputError

_UNITS = {"s": 1, "m": 60, "min": 60, "h": 3600, "d": 86_400}


Share = Annotated[float, Field(ge=0, le=1)]


class Config(BaseModel):
    """Base of all configuration sections."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


def _parse(value: Any) -> Any:
    if isinstance(value, bool):
        raise ValueError("must be a duration such as 30s, 5m, 6h or 2d")
    if isinstance(value, int | float):
        value = f"{value:f}s"
    if isinstance(value, str):
        match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([a-z]*)", value.strip())
        if match and (match[2] or "s") in _UNITS:
            try:
                return timedelta(seconds=float(match[1]) * _UNITS[match[2] or "s"])
            except OverflowError:
                raise ValueError("must be a duration of at most 999999999d") from None
        raise ValueError("must be a duration such as 30s, 5m, 6h or 2d")
    return value


def _show(value: timedelta) -> str:
    seconds = value.total_seconds()
    for unit in ("d", "h", "m"):
        if seconds and seconds % _UNITS[unit] == 0:
            return f"{int(seconds) // _UNITS[unit]}{unit}"
    return f"{seconds:f}".rstrip("0").rstrip(".") + "s"


Duration = Annotated[
    timedelta,
    BeforeValidator(_parse),
    PlainSerializer(_show, return_type=str),
    WithJsonSchema({"type": "string", "examples": ["30s", "6h"]}),
]
"""A span of time; YAML holds "30s", "5m", "6h", "2d" or seconds."""


def parse_duration(field: str, text: str) -> timedelta:
    """A span above 0 as a person writes it, with its unit, such as 7d. Raises InputError that names the field."""
    if re.fullmatch(r"[\d.]+", text.strip()):
        raise InputError(field, "must have a unit: s, m, h or d", text)
    try:
        span: timedelta = _parse(text)
    except ValueError as error:
        raise InputError(field, str(error), text) from error
    if not span:
        raise InputError(field, "must be above 0", text)
    return span


def microseconds(span: timedelta) -> int:
    """The span in whole microseconds."""
    return span // timedelta(microseconds=1)
