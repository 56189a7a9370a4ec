"""Cells become numbers, times and texts by role; what is of another type is marked and nothing is lost."""

from datetime import UTC, datetime
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from features.errors import InputError
from features.rows import UNKNOWN, from_table
from features.schema import RegimeRule, Schema
from features.typed import Clock, TypedBlock, infer_types, type_block

NAN = float("nan")


def typed(columns: dict[str, list[Any]], schema: Schema, types: dict[str, pa.DataType] | None = None) -> TypedBlock:
    arrays = {name: pa.array(values, (types or {}).get(name)) for name, values in columns.items()}
    return type_block(pa.RecordBatch.from_pydict(arrays), schema, Clock())


@pytest.mark.parametrize(
    ("written", "value"),
    [("1.5", 1.5), ("-2", -2), (" 3.0 ", 3), ("1e3", 1000), (".5", 0.5), ("inf", np.inf), ("NaN", NAN), (None, NAN)],
)
def test_a_text_that_is_a_number_is_that_number(written: str | None, value: float) -> None:
    block = typed({"x": [written, "7"]}, Schema(("x",)), {"x": pa.string()})
    np.testing.assert_array_equal(block.values[:, 0], [value, 7])
    assert not block.wrong


@pytest.mark.parametrize("written", ["off", "1,5", "0x10", "1_000", "--", "12 mm", "1e", "١٢"])
def test_a_text_that_is_no_number_is_marked_and_its_neighbours_are_kept(written: str) -> None:
    block = typed({"x": ["1", written, "3", None]}, Schema(("x",)))
    np.testing.assert_array_equal(block.values[:, 0], [1, NAN, 3, NAN])
    assert block.wrong["x"].tolist() == [False, True, False, False]


def test_numbers_of_any_type_become_float64() -> None:
    types = {"i": pa.int64(), "b": pa.bool_(), "f": pa.float32(), "d": pa.decimal128(5, 2)}
    block = typed({"i": [2**53 + 2], "b": [True], "f": [0.5], "d": [None]}, Schema(("i", "b", "f", "d")), types)
    np.testing.assert_array_equal(block.values, [[2.0**53 + 2, 1, 0.5, NAN]])


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("2026-01-05T10:00:00Z", "2026-01-05T10:00:00"),
        ("2026-01-05 10:00:00.25+01:00", "2026-01-05T09:00:00.25"),
        ("2026-01-05 10:00:00 +0100", "2026-01-05T09:00:00"),
        ("2026-01-05T10:00:00.123456789Z", "2026-01-05T10:00:00.123456"),
    ],
)
def test_times_with_a_zone_are_read_as_utc(written: str, expected: str) -> None:
    block = typed({"t": [written], "x": [1.0]}, Schema(("x",), timestamp="t"))
    assert block.times is not None
    assert block.times[0] == np.datetime64(expected, "us").astype(np.int64)
    assert block.has_time.all()


@pytest.mark.parametrize("written", ["2026-01-05", "2026-01-05 00:00", "2026-01-05T00:00:00.000000000"])
def test_times_without_a_zone_are_taken_as_they_stand(written: str) -> None:
    block = typed({"t": [written], "x": [1.0]}, Schema(("x",), timestamp="t"))
    assert block.times is not None
    assert block.times[0] == np.datetime64("2026-01-05", "us").astype(np.int64)


@pytest.mark.parametrize("written", ["2026-13-05", "yesterday", "05.01.2026", "2026-01-05T25:00"])
def test_a_text_that_is_no_time_is_marked(written: str) -> None:
    block = typed({"t": ["2026-01-05", written], "x": [1.0, 1.0]}, Schema(("x",), timestamp="t"))
    assert block.wrong["t"].tolist() == [False, True]
    assert block.has_time.tolist() == [True, False]


def test_times_with_and_without_a_zone_cannot_be_mixed() -> None:
    message = r"data\.timestamp: column 't' mixes times with a zone \(2026-01-05T00:00Z\) and without, got '2026-01-06'"
    with pytest.raises(InputError, match=message):
        typed({"t": ["2026-01-05T00:00Z", "2026-01-06"], "x": [1.0, 1.0]}, Schema(("x",), timestamp="t"))


def test_zones_are_compared_across_blocks() -> None:
    clock, schema = Clock(), Schema(("x",), timestamp="t")
    type_block(pa.RecordBatch.from_pydict({"t": ["2026-01-05T00:00Z"], "x": [1.0]}), schema, clock)
    with pytest.raises(InputError, match="mixes times"):
        type_block(pa.RecordBatch.from_pydict({"t": ["2026-01-05T00:00"], "x": [1.0]}), schema, clock)


@pytest.mark.parametrize(("written", "factor"), [("s", 1_000_000), ("ms", 1_000), ("us", 1)])
def test_numeric_times_count_from_1970(written: str, factor: int) -> None:
    schema = Schema(("x",), timestamp="t", timestamp_format=written)
    block = typed({"t": [1.5e6, None, float("inf")], "x": [1.0] * 3}, schema)
    assert block.times is not None
    assert block.times[0] == 1.5e6 * factor
    assert block.has_time.tolist() == [True, False, False]
    assert block.wrong["t"].tolist() == [False, False, True]


def test_a_format_of_ones_own_reads_other_times() -> None:
    schema = Schema(("x",), timestamp="t", timestamp_format="%d.%m.%Y %H:%M")
    block = typed({"t": ["05.01.2026 10:30", "2026-01-05"], "x": [1.0, 2.0]}, schema)
    assert block.times is not None
    assert block.times[0] == np.datetime64("2026-01-05T10:30", "us").astype(np.int64)
    assert block.wrong["t"].tolist() == [False, True]


def test_times_of_any_arrow_type_are_microseconds() -> None:
    moment = datetime(2026, 1, 5, 1, tzinfo=UTC)
    for kind in (pa.timestamp("s", "UTC"), pa.timestamp("ns", "Europe/Lisbon")):
        block = typed({"t": [moment, None], "x": [1.0, 1.0]}, Schema(("x",), timestamp="t"), {"t": kind})
        assert block.times is not None
        assert block.times[0] == 1_767_574_800_000_000
        assert block.has_time.tolist() == [True, False]


def test_the_regime_follows_the_rule_of_a_speed_column() -> None:
    rule = RegimeRule("speed", off_below=1, high_from=20)
    block = typed({"speed": [0.0, 1.0, 19.9, 20.0, NAN], "x": [1.0] * 5}, Schema(("x",), regime=rule))
    assert block.regimes is not None
    assert block.regimes.to_pylist() == ["off", "low", "low", "high", None]


def test_group_and_regime_columns_become_codes_of_their_names() -> None:
    table = pa.table({"s": ["b", "a", "a"], "m": ["m2", "m1", "m1"], "r": ["on", None, "off"], "x": [1.0, 2.0, 3.0]})
    rows = from_table(table, Schema(("x",), series="s", group="m", regime="r"))
    assert (rows.group_names, rows.regime_names) == (("m1", "m2"), ("off", "on"))
    assert rows.groups is not None
    assert rows.regimes is not None
    assert rows.groups.tolist() == [1, 0, 0]
    assert rows.regimes.tolist() == [1, UNKNOWN, 0]
    assert rows.independent is rows.groups


def test_labels_have_three_states_and_null_is_never_a_negative() -> None:
    table = pa.table({"l": ["1", "0", None, "x", "1.0"], "x": [1.0] * 5})
    rows = from_table(table, Schema(("x",), label="l"))
    assert rows.labels is not None
    assert rows.labels.tolist() == [1, 0, UNKNOWN, UNKNOWN, 1]


def test_labels_may_be_written_as_words_and_features_may_not() -> None:
    words = ["yes", "No", " Y", "n", "true", "FALSE", "yesterday", ""]
    block = type_block(pa.record_batch({"l": words, "x": words}), Schema(("x",), label="l"), Clock())
    assert block.labels is not None
    np.testing.assert_array_equal(block.labels, [1, 0, 1, 0, 1, 0, np.nan, np.nan])
    assert block.wrong["l"].tolist() == [False] * 6 + [True, True]
    assert block.wrong["x"].tolist() == [True] * 4 + [False] * 2 + [True, True]


def test_series_names_may_hold_spaces_and_any_script() -> None:
    names = ["Pumpe 7, Achse z", "センサー", "a'b\"c"]
    rows = from_table(pa.table({"s": names, "x": [1.0, 2.0, 3.0]}), Schema(("x",), series="s"))
    assert {rows.series_names[code]: value for code, value in zip(rows.series, rows.values[:, 0], strict=True)} == dict(
        zip(names, (1.0, 2.0, 3.0), strict=True)
    )


def test_types_are_inferred_from_most_cells() -> None:
    columns = {
        "x": ["1", "2.5", "off", None],
        "t": ["2026-01-05 00:00", "2026-01-05 00:05", "?", None],
        "z": ["2026-01-05T00:00Z", "2026-01-05T00:00+01:00", None, None],
        "note": ["1", "a", "b", "c"],
        "empty": [None] * 4,
    }
    found = infer_types(pa.RecordBatch.from_pydict({k: pa.array(v, pa.string()) for k, v in columns.items()}))
    assert found.field("x").type == found.field("empty").type == pa.float64()
    assert found.field("t").type == pa.timestamp("us")
    assert found.field("z").type == pa.timestamp("us", "UTC")
    assert found.field("note").type == pa.string()


def test_a_block_keeps_its_rows_under_a_mask() -> None:
    schema = Schema(("x",), "s", "t", "l", "m", "r")
    columns = {
        "s": ["a", "b"],
        "t": ["2026-01-05", "?"],
        "l": [1, 0],
        "m": ["m", "n"],
        "r": ["u", "v"],
        "x": [1.0, 2.0],
    }
    kept = typed(columns, schema).take(np.array([False, True]))
    assert (len(kept), kept.values[0, 0], kept.wrong["t"].tolist()) == (1, 2.0, [True])
    assert kept.series is not None
    assert kept.series.to_pylist() == ["b"]
