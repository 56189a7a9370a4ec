"""The rules a table is held to: those of its schema, and the limits and expectations of its owner."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from evaluation.validation.verdict import Grade, Rule
from features.schema import Schema


@dataclass(frozen=True)
class OwnExpectation:
    """An expectation of the owner's: type and kwargs as in a Great Expectations suite, and what a failing row is.

    For grade "table", the share of failing rows may be at most ``1 - mostly`` of kwargs (default: none may fail), which
    no other grade may state.
    """

    type: str
    kwargs: Mapping[str, Any]
    grade: Grade = "invalid"

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns it judges."""
        named = [self.kwargs[key] for key in ("column", "column_A", "column_B") if key in self.kwargs]
        return tuple(str(name) for name in (*named, *self.kwargs.get("column_list", ())))

    @property
    def allowed(self) -> float:
        """Share of the rows that may fail."""
        return 1 - float(self.kwargs.get("mostly", 1))


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
            rule = Rule("key_present", (key,), "invalid", "must not be missing")
            yield rule, "expect_column_values_to_not_be_null", {"column": key}
    for name in schema.features:
        present = Rule("present", (name,), "invalid", "must not be missing or NaN")
        yield present, "expect_column_values_to_not_be_null", {"column": name}
        finite = Rule("finite", (name,), "invalid", "must be finite")
        largest = 1.7976931348623157e308
        yield (
            finite,
            "expect_column_values_to_be_between",
            {"column": name, "min_value": -largest, "max_value": largest},
        )
    if schema.label:
        rule = Rule("label", (schema.label,), "invalid", "must be 1, 0 or missing (unknown)")
        yield rule, "expect_column_values_to_be_in_set", {"column": schema.label, "value_set": [0, 1]}


def own_rules(limits: Limits) -> dict[Rule, OwnExpectation]:
    """The owner's rules, each with a name of its own; those of grade "table" are counted by row and judged once."""
    found: dict[Rule, OwnExpectation] = {}
    for number, own in enumerate(limits.own, 1):
        said = ", ".join(f"{key} {value}" for key, value in own.kwargs.items() if not key.startswith("column"))
        words = own.type.removeprefix("expect_").replace("_", " ")
        again = any(other.type == own.type and other.columns == own.columns for other in limits.own[: number - 1])
        name = f"{own.type}#{number}" if again else own.type
        found[Rule(name, own.columns, own.grade, f"{words} ({said})" if said else words)] = own
    return found
