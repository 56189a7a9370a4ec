"""What of PromQL the tests need: the names of metrics in an expression, and the variables of a dashboard filled in."""

import re
from typing import Any

_TEXT = re.compile(r'"(?:[^"\\]|\\.)*"')
_MATCHERS = re.compile(r"\{[^{}]*\}")
_RANGE = re.compile(r"\[[^\]]*\]")
_LABELS = re.compile(r"\b(?:by|without|on|ignoring|group_left|group_right)\s*\([^()]*\)")
_NAME = re.compile(r"\b[a-zA-Z_:][\w:]*\b(?!\s*\()")
_WORDS = {"and", "or", "unless", "offset", "bool", "by", "without", "on"}
_VARIABLES = {"$__rate_interval": "5m", "$application": ".*"}


def metrics(expression: str) -> set[str]:
    """Names of the metrics that an expression reads."""
    bare = expression
    for part in (_TEXT, _MATCHERS, _RANGE, _LABELS):
        bare = part.sub(" ", bare)
    bare = re.sub(r"(?<![\w:])\d[\w.]*", " ", bare)  # numbers and durations
    return set(_NAME.findall(bare)) - _WORDS


def expressions(board: dict[str, Any]) -> list[str]:
    """Every query of a dashboard, its annotations included, with values for its variables."""
    queries = [target["expr"] for panel in board["panels"] for target in panel["targets"]]
    queries += [annotation["expr"] for annotation in board["annotations"]["list"]]
    return [filled(query) for query in queries]


def filled(query: str) -> str:
    for name, value in _VARIABLES.items():
        query = query.replace(name, value)
    return query
