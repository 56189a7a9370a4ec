"""Arrow tables as rows in canonical order."""

from datetime import UTC, datetime
from decimal import Decimal

import numpy as np
import pyarrow as pa

from features.rows import UNKNOWN, from_table
from features.schema import Schema

TIMES = [datetime(2026, 1, day, tzinfo=UTC) for day in (2, 1, 1)]
TABLE = pa.table(
    {
        "s": ["b", "b", "a"],
        "t": pa.array(TIMES, pa.timestamp("ns", tz="UTC")),
        "x": pa.array([1, 2, 3], pa.int16()),
        "y": pa.array([Decimal("0.5"), None, Decimal("1.5")], pa.decimal128(4, 1)),
        "l": pa.array([1, None, 0], pa.int64()),
    }
)
SCHEMA = Schema(("y", "x"), "s", "t", "l")


def test_rows_are_ordered_by_series_then_time() -> None:
    rows = from_table(TABLE, SCHEMA)
    assert rows.series_names == ("a", "b")
    assert rows.series.tolist() == [0, 1, 1]
    assert rows.values[:, 1].tolist() == [3, 2, 1]


def test_values_are_float64_in_schema_order_and_null_is_nan() -> None:
    rows = from_table(TABLE, SCHEMA)
    assert rows.values.dtype == np.float64
    np.testing.assert_array_equal(rows.values[:, 0], [1.5, np.nan, 0.5])


def test_times_are_microseconds_since_1970() -> None:
    rows = from_table(TABLE, SCHEMA)
    assert rows.times is not None
    assert rows.times.tolist() == [int(t.timestamp()) * 1_000_000 for t in (TIMES[2], TIMES[1], TIMES[0])]


def test_a_missing_label_is_unknown_and_not_anomalous() -> None:
    rows = from_table(TABLE, SCHEMA)
    assert rows.labels is not None
    assert rows.labels.tolist() == [0, UNKNOWN, 1]
    assert rows.anomalous.tolist() == [False, False, True]


def test_truth_values_serve_as_labels() -> None:
    table = pa.table({"x": [1.0, 2.0], "l": [True, False]})
    assert from_table(table, Schema(("x",), label="l")).anomalous.tolist() == [True, False]


def test_without_roles_there_is_one_series_and_the_order_of_the_table() -> None:
    rows = from_table(TABLE, Schema(("x",)))
    assert (rows.series_names, rows.times, rows.labels) == (("all",), None, None)
    assert rows.values[:, 0].tolist() == [1, 2, 3]
    assert not rows.anomalous.any()


def test_take_takes_every_array() -> None:
    rows = from_table(TABLE, SCHEMA)
    taken = rows.take(np.array([False, True, True]))
    assert len(taken) == 2
    assert rows.times is not None
    assert taken.times is not None
    assert taken.times.tolist() == rows.times[1:].tolist()
    assert taken.series.tolist() == [1, 1]
    assert taken.anomalous.tolist() == [False, True]
