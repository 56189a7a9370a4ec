"""The rules a table is held to: those of its schema, and the limits and expectations of its owner."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from evaluation.validation.verdict import Grade, Rule
from features.schema import Schema


@dataclass(frozen=True)
class OwnExpectation:
    """An expectation of the owner's: type and kwargs as in a Great Expectations suite, and what a failing row is.

    For grade "table", the share of failing rows may be at most ``1 - mostly`` of kwargs (default: none may fail).
    """

    type: str
    kwargs: Mapping[str, Any]
    grade: Grade = "invalid"

    @property
    def column(self) -> str:
        """The columns it judges, joined by ","."""
        keys = ("column", "column_A", "column_B", "column_list")
        named = [self.kwargs[key] for key in keys if key in self.kwargs]
        return ",".join(str(name) for name in (named[0] if named and isinstance(named[0], list) else named))


@dataclass(frozen=True)
class Limits:
    """What the owner of a table accepts.

    ranges: column -> (lowest, highest) plausible value; stuck_rows, clipped_rows: rows of one series with the same
    value, and with the table's extreme value, from which on they are implausible (0: never); gap_factor: usual steps
    that make a gap; now_us and max_age_us: the latest row may be that old (0: any age).
    """

    min_rows: int = 1_000
    max_quarantined_share: float = 0.1
    min_days: float = 0.0
    max_age_us: int = 0
    now_us: int = 0
    allow_constant: bool = False
    refuse_unordered: bool = False
    ranges: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    stuck_rows: int = 12
    clipped_rows: int = 3
    gap_factor: float = 3.0
    own: tuple[OwnExpectation, ...] = ()


MISTYPED = "type"
DUPLICATE = "unique_key"


def schema_rules(schema: Schema) -> Iterator[tuple[Rule, str, dict[str, Any]]]:
    """Row rules that follow from the roles: (rule, expectation type, kwargs)."""
    for key in (schema.series, schema.timestamp, schema.group):
        if key:
            rule = Rule("key_present", key, "invalid", "must not be missing")
            yield rule, "expect_column_values_to_not_be_null", {"column": key}
    for name in schema.features:
        present = Rule("present", name, "invalid", "must not be missing or NaN")
        yield present, "expect_column_values_to_not_be_null", {"column": name}
        finite = Rule("finite", name, "invalid", "must be finite")
        largest = 1.7976931348623157e308
        yield (
            finite,
            "expect_column_values_to_be_between",
            {"column": name, "min_value": -largest, "max_value": largest},
        )
    if schema.label:
        rule = Rule("label", schema.label, "invalid", "must be 1, 0 or missing (unknown)")
        yield rule, "expect_column_values_to_be_in_set", {"column": schema.label, "value_set": [0, 1]}


def own_rules(limits: Limits) -> Iterator[tuple[Rule, str, dict[str, Any]]]:
    """The owner's row rules; those of grade "table" are counted by row and judged once."""
    for own in limits.own:
        kwargs = {key: value for key, value in own.kwargs.items() if key != "mostly"}
        said = ", ".join(f"{key} {value}" for key, value in kwargs.items() if not key.startswith("column"))
        words = own.type.removeprefix("expect_").replace("_", " ")
        yield Rule(own.type, own.column, own.grade, f"{words} ({said})" if said else words), own.type, kwargs
