"""Invalid rows are set aside by rule; a bad table is refused in sentences."""

from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from evaluation.validation.suite import Limits, Validation, validate
from features.schema import Schema

N = 40
SCHEMA = Schema(("x", "y"), "s", "t", "l")


def make_table(**changes: dict[int, Any]) -> pa.Table:
    """Forty sound rows with some cells changed: ``x={3: nan}``."""
    columns: dict[str, list[Any]] = {
        "s": ["a", "b"] * (N // 2),
        "t": [datetime(2026, 1, 1) + timedelta(minutes=i) for i in range(N)],
        "x": [float(i) for i in range(N)],
        "y": [1.0] * N,
        "l": [0] * N,
    }
    for name, cells in changes.items():
        for row, value in cells.items():
            columns[name][row] = value
    types = {"s": pa.string(), "t": pa.timestamp("us"), "x": pa.float64(), "y": pa.float64(), "l": pa.int64()}
    return pa.table({name: pa.array(values, types[name]) for name, values in columns.items()})


def broken_rows(found: Validation) -> dict[int, str]:
    return {int(row): str(found.broken[row]) for row in np.flatnonzero(~found.valid)}


def test_a_sound_table_has_no_broken_row_and_no_failure() -> None:
    found = validate(make_table(l={0: 1, 1: None}), SCHEMA, Limits(min_rows=N))
    assert (found.quarantined, found.failures) == (0, ())
    assert all(rule.failing == 0 for rule in found.rules)


@pytest.mark.parametrize(
    ("changes", "broken"),
    [
        ({"x": {3: float("nan")}}, {3: "present"}),
        ({"y": {0: None}}, {0: "present"}),
        ({"x": {5: float("inf"), 7: float("-inf")}}, {5: "finite", 7: "finite"}),
        ({"l": {2: 2, 4: -1}}, {2: "label", 4: "label"}),
        ({"s": {1: None}}, {1: "key_present"}),
        ({"t": {1: None}}, {1: "key_present"}),
        ({"s": {1: "a"}, "t": {1: datetime(2026, 1, 1)}}, {0: "unique_key", 1: "unique_key"}),
        ({"x": {6: float("inf")}, "l": {6: 9}}, {6: "finite,label"}),
    ],
)
def test_an_invalid_row_is_quarantined_with_the_rules_it_broke(
    changes: dict[str, dict[int, Any]], broken: dict[int, str]
) -> None:
    found = validate(make_table(**changes), SCHEMA, Limits(min_rows=1))
    assert broken_rows(found) == broken
    assert found.quarantined == len(broken)
    assert found.failures == ()


def test_the_same_time_in_two_series_is_no_duplicate() -> None:
    table = make_table(t={1: datetime(2026, 1, 1)})
    assert validate(table, SCHEMA, Limits(min_rows=1)).quarantined == 0


def test_too_many_invalid_rows_fail_the_table_with_column_rule_and_examples() -> None:
    table = make_table(x={row: float("inf") for row in range(10)})
    found = validate(table, SCHEMA, Limits(min_rows=1, max_quarantined_share=0.2))
    assert found.failures == (
        "column 'x': must be finite; 10 of 40 rows break it (found inf)",
        "validation.max_quarantined_share: at most 20.0% of the rows may be invalid, got 25.0%",
    )


def test_exactly_the_allowed_share_does_not_fail() -> None:
    table = make_table(x=dict.fromkeys(range(10)))
    assert validate(table, SCHEMA, Limits(min_rows=30, max_quarantined_share=0.25)).failures == ()


def test_too_few_valid_rows_fail_the_table() -> None:
    found = validate(make_table(x={0: None}), SCHEMA, Limits(min_rows=N))
    assert found.failures == ("validation.min_rows: at least 40 valid rows are needed, got 39",)


def test_an_empty_table_fails_by_its_rows() -> None:
    found = validate(make_table().slice(0, 0), SCHEMA, Limits())
    assert found.failures == ("validation.min_rows: at least 1,000 valid rows are needed, got 0",)


def test_rows_are_found_by_position_whatever_index_pandas_stored() -> None:
    frame = pd.DataFrame({"x": [float(i) for i in range(40)]}).iloc[10:]
    frame.loc[20, "x"] = float("nan")
    table = pa.Table.from_pandas(frame)
    found = validate(table, Schema(("x",)), Limits(min_rows=1))
    assert np.flatnonzero(~found.valid).tolist() == [10]


def test_without_a_series_times_alone_must_be_unique() -> None:
    times = pd.to_datetime(["2026-01-01", "2026-01-02", "2026-01-02"], utc=True)
    table = pa.Table.from_pandas(pd.DataFrame({"t": times, "x": [1.0, 2.0, 3.0]}))
    found = validate(table, Schema(("x",), timestamp="t"), Limits(min_rows=1))
    assert found.valid.tolist() == [True, False, False]
