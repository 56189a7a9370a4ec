"""Why a request is refused: one exception, and the translation of what decoding and checking raise into it."""

import re
from collections.abc import Sequence
from typing import Any

import msgspec

from features.errors import InputError

_PATH = re.compile(r" - at `\$\.?(.*)`$")
_NAMED = re.compile(r"(?:unknown|required) field `(.*)`")
_STEP = re.compile(r"([^.\[\]]+)|\[(\d+|\.\.\.)\]")
_VALUE = re.compile(r"(?:data\[\d+\]|history\[\d+\]\[\d+\])\[(\d+)\]")


class Refused(Exception):
    """An answer that is an error: status, message, the field at fault and further headers."""

    def __init__(self, status: int, message: str, field: str = "", headers: tuple[tuple[bytes, bytes], ...] = ()):
        super().__init__(message)
        self.status, self.message, self.field, self.headers = status, message, field, headers


def refused_body(error: Exception, body: bytes, features: list[str], fields: Sequence[str]) -> Refused:
    """The refusal for what a body raised: 400 where it cannot be read, 422 naming row and column where it can.

    fields: those that a body of this path may have.
    """
    if isinstance(error, InputError):
        return Refused(422, str(error), error.field)
    if isinstance(error, msgspec.ValidationError):
        return _misfit(str(error), body, features, fields)
    return Refused(400, f"the body must be JSON: {error}")


def _misfit(text: str, body: bytes, features: list[str], fields: Sequence[str]) -> Refused:
    found = _PATH.search(text)
    if not found:
        named = _NAMED.search(text)
        known = f"; known are {', '.join(fields)}" if named and "unknown" in named[0] else ""
        return Refused(422, text + known, named[1] if named else "")
    rule, field = text[: found.start()], found[1]
    if field.endswith("[...]"):  # an entry of an object; msgspec does not say which
        field = field.removesuffix("[...]")
        field += _wrong_entry(body, _STEP.findall(field))
    value = _VALUE.fullmatch(field)
    column = f"{features[int(value[1])]}: " if value and int(value[1]) < len(features) else ""
    return Refused(422, f"{field}: {column}{rule}", field)


def _wrong_entry(body: bytes, steps: list[tuple[str, str]]) -> str:
    try:
        place: Any = msgspec.json.decode(body)
        for name, index in steps:
            place = place[int(index)] if index else place[name]
        wrong = next(name for name, value in place.items() if type(value) not in (float, int))
    except (msgspec.MsgspecError, LookupError, TypeError, AttributeError, StopIteration):
        return ""
    return f".{wrong[:100]}"
