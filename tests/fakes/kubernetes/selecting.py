"""Label and field selectors."""

import re
from typing import Any

from tests.fakes.kubernetes.answers import bad_request

Json = dict[str, Any]
_SET = re.compile(r"^(\S+)\s+(in|notin)\s+\(([^)]*)\)$")


def selects(labels: str, fields: str, found: Json) -> bool:
    """Whether an object is what both selectors ask for. Raises ApiError 400 for one that cannot be read."""
    known = found["metadata"].get("labels") or {}
    return all(_label(term, known) for term in _terms(labels)) and all(_field(term, found) for term in _terms(fields))


def _terms(selector: str) -> list[str]:
    return [term.strip() for term in re.split(r",(?![^(]*\))", selector) if term.strip()]


def _label(term: str, known: dict[str, str]) -> bool:
    if told := _SET.match(term):
        values = {value.strip() for value in told[3].split(",")}
        return (known.get(told[1]) in values) == (told[2] == "in")
    key, compared, value = _compared(term)
    if not compared:
        return (key.removeprefix("!") in known) != key.startswith("!")
    return (known.get(key) == value) == (compared != "!=")


def _field(term: str, found: Json) -> bool:
    key, compared, value = _compared(term)
    if not compared:
        raise bad_request(f"invalid selector: '{term}'; can't understand '{term}'")
    place: Any = found
    for step in key.split("."):
        place = place.get(step, {}) if isinstance(place, dict) else {}
    return ((place or "") == value) == (compared != "!=")


def _compared(term: str) -> tuple[str, str, str]:
    told = re.match(r"^([^=!]+?)\s*(!=|==|=)\s*(.*)$", term)
    return (told[1], told[2], told[3]) if told else (term, "", "")
