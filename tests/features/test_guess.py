"""A guess which column plays which role; every role and every omission has its reason."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from features.errors import InputError
from features.guess.columns import Column, readable
from features.guess.roles import Guess, guess_roles
from features.sources.opening import open_source

N = 240
START = datetime(2024, 1, 1, tzinfo=UTC)
X = np.random.default_rng(1).normal(5, 1, N).round(4)
HOURS = [START + timedelta(hours=k) for k in range(N)]


def guess(given: dict[str, str | None] | None = None, **columns: object) -> Guess:
    batch = pa.RecordBatch.from_pydict(columns)
    return guess_roles(batch.schema, batch, given)


def from_csv(folder: Path, text: str) -> Guess:
    (folder / "x.csv").write_text(text)
    source = open_source(str(folder / "x.csv"))
    return guess_roles(source.schema, next(iter(source.blocks(readable(source.schema)))))


def test_words_of_a_name() -> None:
    words = {name: Column(name, "number", pa.nulls(0)).words for name in ("machineID 2", "Größe.mm", "-", "is_fault")}
    assert words == {
        "machineID 2": ("machine", "id", "2"), "Größe.mm": ("größe", "mm"), "-": (), "is_fault": ("is", "fault"),
    }  # fmt: skip


def test_a_table_of_one_column_has_one_feature_and_no_role() -> None:
    found = guess(value=X)
    assert found.features == ("value",)
    roles = (found.timestamp, found.series, found.group, found.label, found.regime)
    assert [role.column for role in roles] == [None] * 5
    assert all(role.reason for role in roles)


def test_typed_timestamps_are_the_time() -> None:
    found = guess(measured=HOURS, x=X)
    assert (found.timestamp.column, found.timestamp_format) == ("measured", None)


def test_the_time_of_a_database_row_comes_after_the_time_of_the_measurement() -> None:
    found = guess(created_at=HOURS, time=HOURS, x=X)
    assert found.timestamp.column == "time"
    assert found.left_out["created_at"] == "another time; a table has one"


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("%Y-%m-%d %H:%M:%S", None),
        ("%Y-%m-%dT%H:%M:%SZ", None),
        ("%d.%m.%Y %H:%M:%S", "%d.%m.%Y %H:%M:%S"),
        ("%d/%m/%Y %H:%M", "%d/%m/%Y %H:%M"),
        ("%m/%d/%Y %I:%M %p", "%m/%d/%Y %I:%M %p"),
        ("%Y.%m.%d.%H.%M.%S", "%Y.%m.%d.%H.%M.%S"),
    ],
)
def test_common_ways_to_write_a_time(pattern: str, expected: str | None) -> None:
    found = guess(when=[time.strftime(pattern) for time in HOURS * 3], x=np.tile(X, 3))
    assert (found.timestamp.column, found.timestamp_format) == ("when", expected)


def test_where_two_patterns_fit_the_one_that_follows_the_rows_is_taken_and_the_other_named() -> None:
    days = [START + timedelta(days=9 + k) for k in range(3)]
    found = guess(when=[day.strftime("%m/%d/%Y") for day in days], x=X[:3])
    assert found.timestamp_format == "%m/%d/%Y"
    assert "would fit too" in found.timestamp.reason


@pytest.mark.parametrize(("unit", "factor"), [("s", 1), ("ms", 1_000), ("us", 1_000_000)])
def test_numbers_since_1970_named_like_a_time(unit: str, factor: int) -> None:
    numbers = [int(time.timestamp()) * factor for time in HOURS]
    found = guess(ts=numbers, x=X)
    assert (found.timestamp.column, found.timestamp_format) == ("ts", unit)
    assert guess(pressure=numbers[::-1], x=X).timestamp.column is None


def test_elapsed_time_is_neither_the_time_nor_a_feature() -> None:
    found = guess(time=np.arange(N) / 2, x=X)
    assert found.timestamp.column is None
    assert "elapsed time" in found.left_out["time"]


def test_times_with_and_without_a_zone_are_an_error_and_not_no_time() -> None:
    texts = [time.strftime("%Y-%m-%d %H:%M:%S") + ("Z" if k % 2 else "") for k, time in enumerate(HOURS)]
    with pytest.raises(InputError, match=r"data\.timestamp: column 'time' mixes times with a zone"):
        guess(time=texts, x=X)


def test_a_few_strange_cells_do_not_cost_a_label_its_role() -> None:
    assert guess(time=HOURS, x=X, label=[2 if k == 0 else k % 2 for k in range(N)]).label.column == "label"
    assert guess(time=HOURS, x=X, label=[k % 3 for k in range(N)]).label.column is None


def test_a_label_may_be_written_yes_and_no() -> None:
    found = guess(time=HOURS, x=X, fault=["Yes" if k % 4 == 0 else "no" for k in range(N)])
    assert (found.label.column, found.label.reason) == ("fault", "named like a label, 25.0% of the judged rows are 1")
    assert guess(time=HOURS, x=X, fault=["yes", "maybe"] * (N // 2)).label.column is None
    assert guess({"label": "odd"}, odd=["yes", "no"] * (N // 2), twin=[1, 0] * (N // 2), x=X).features == ("x",)


def test_the_series_is_the_column_with_which_a_time_occurs_once() -> None:
    found = guess(
        time=[HOURS[k // 4] for k in range(N)],
        machine=[f"m{k % 4 // 2}" for k in range(N)],
        sensor=[f"s{k % 4}" for k in range(N)],
        x=X,
    )
    assert found.series.column == "sensor"
    assert "without it times repeat" in found.series.reason
    assert (found.group.column, found.group.reason) == ("machine", "each of the 4 series has one of its 2 values")


def test_a_series_may_be_numbered_but_a_numbered_sensor_is_a_measurement() -> None:
    found = guess(
        unit=[k // 60 for k in range(N)], cycle=[k % 60 for k in range(N)], sensor_7=[k % 3 for k in range(N)]
    )
    assert found.series.column == "unit"
    assert found.features == ("sensor_7",)
    assert found.left_out["cycle"] == "counts the rows of each 'unit'"


def test_repeated_times_make_a_series_of_a_column_with_any_name() -> None:
    kanal = [f"k{k % 4}" for k in range(N)]
    assert guess(time=[HOURS[k // 4] for k in range(N)], kanal=kanal, x=X).series.column == "kanal"
    assert guess(time=HOURS, kanal=kanal, x=X).series.column is None


def test_two_columns_that_name_the_series_together_are_pointed_out() -> None:
    found = guess(
        time=[HOURS[k // 6] for k in range(N)],
        machine=[f"m{k % 6 // 3}" for k in range(N)],
        axis=["xyz"[k % 3] for k in range(N)],
        rms=X,
    )
    assert found.series.column == "machine"
    assert "'machine' and 'axis' joined in one column" in found.series.reason


def test_values_that_do_not_repeat_name_no_series() -> None:
    assert guess(id=[f"r{k}" for k in range(N)], x=X).series.column is None


@pytest.mark.parametrize("name", ["label", "is_anomaly", "Outlier", "machine failure", "target", "class", "y", "Fault"])
@pytest.mark.parametrize("values", [[0, 1], [0.0, None], [True, False], ["0", "1"]])
def test_a_label_has_its_name_and_holds_nothing_but_ones_zeros_and_missing(name: str, values: list[object]) -> None:
    found = guess(x=X, **{name: values * (N // 2)})
    assert found.label.column == name
    assert found.features == ("x",)


@pytest.mark.parametrize("values", [[-1, 1], [1, 2, 3], ["good", "bad"], [0.0, 0.5]])
def test_a_column_with_other_values_is_never_the_label_and_no_feature(values: list[object]) -> None:
    found = guess(x=X, label=(values * N)[:N])
    assert found.label.column is None
    assert "'label' is named like one but holds" in found.label.reason
    assert found.features == ("x",)


def test_an_axis_called_y_is_a_feature() -> None:
    assert guess(x=X, y=X + 1, z=X * 2).features == ("x", "y", "z")


def test_what_tells_the_answer_is_no_feature() -> None:
    label = (X > 6).astype(int)
    found = guess(
        x=X, anomaly=label, changepoint=label[::-1].copy(), copy=label, opposite=1 - label, fault_code=label * 3
    )
    assert found.label.column == "anomaly"
    assert found.features == ("x",)
    assert found.left_out["copy"] == found.left_out["opposite"] == "repeats the label 'anomaly'"
    assert "would tell the answer" in found.left_out["changepoint"]


def test_a_regime_is_a_text_with_few_values() -> None:
    assert guess(x=X, operating_state=["run", "idle"] * (N // 2)).regime.column == "operating_state"
    assert guess(x=X, state=[str(k) + "a" for k in range(N)]).regime.column is None
    assert guess(x=X, mode=[0, 1] * (N // 2)).features == ("x", "mode")


def test_every_column_without_a_role_has_a_reason() -> None:
    gaps = np.where(np.arange(N) % 4 == 0, np.nan, X)
    found = guess(
        **{"Unnamed: 0": np.arange(N)},
        x=X, constant=[3] * N, nothing=pa.nulls(N), nothing_text=pa.nulls(N, pa.string()), gaps=gaps,
        record_id=np.random.default_rng(0).permutation(N), note=["fine", "odd"] * (N // 2), on=[True, False] * (N // 2),
        text_number=[str(value) for value in X], raw=[[1.0, 2.0]] * N, switch=["on", "off"] * (N // 2),
    )  # fmt: skip
    assert found.features == ("x", "on")
    assert found.left_out == {
        "Unnamed: 0": "rises with every row, as an index does",
        "constant": "always 3 in the sample",
        "nothing": "no value in the sample",
        "nothing_text": "no value in the sample",
        "gaps": "25% missing or not finite: rows without a feature are set aside",
        "record_id": "another whole number in every row, as an identifier has",
        "note": "text without a role, 2 values",
        "text_number": "numbers stored as text; store them as numbers to use them",
        "raw": "a list in each row (raw vibration records: see data.record)",
        "switch": "true and false as text; write 1 and 0 to use it",
    }


def test_names_may_be_anything() -> None:
    names = ["", " ", "a: b", "-x", "'", '"', "größe °C", "#", "a", "a ", "A", "null", "\n"]
    assert guess(**dict.fromkeys(names, X)).features == tuple(names)


def test_what_is_given_is_not_guessed() -> None:
    found = guess({"label": "odd", "timestamp": None}, time=HOURS, odd=[0, 1] * (N // 2), x=X)
    assert (found.label.column, found.timestamp.column, found.features) == ("odd", None, ("x",))
    with pytest.raises(InputError, match=r"data\.label: must name a column of the table, got 'absent'"):
        guess({"label": "absent"}, x=X)


def test_without_a_numeric_column_there_is_nothing_to_guess() -> None:
    with pytest.raises(InputError, match=r"data\.features: at least one numeric column is needed.*'a': text"):
        guess(a=["x", "y"] * 9)
    with pytest.raises(InputError, match=r"data\.features: at least one numeric column.*data\.record.*'w': list"):
        guess_roles(pa.schema([("w", pa.list_(pa.float32()))]), pa.RecordBatch.from_pydict({}))


def test_a_table_without_rows_is_refused() -> None:
    with pytest.raises(InputError, match=r"data\.uri: must hold rows"):
        guess(a=pa.nulls(0, pa.float64()))


def test_the_cells_of_a_csv_are_texts_and_count_by_what_they_say(tmp_path: Path) -> None:
    rows = "".join(f"{HOURS[k // 2]:%Y-%m-%d %H:%M:%S};{k % 2 + 1};{X[k]};{int(X[k] > 6)};{k}\n" for k in range(N))
    found = from_csv(tmp_path, "Zeit;machine id;größe;Anomaly;nr\n" + rows)
    assert found.schema.columns == ["machine id", "Zeit", "Anomaly", "größe"]
    assert found.left_out == {"nr": "rises with every row, as an index does"}


def test_the_guess_of_the_fleet_is_its_schema() -> None:
    source = open_source("fleet://?sensors=4&days=2")
    batch = pa.concat_batches(list(source.blocks(source.schema.names)))
    found = guess_roles(source.schema, batch)
    assert (found.series.column, found.timestamp.column, found.label.column) == ("series", "timestamp", "label")
    assert found.group.column == "machine"
    assert "fault" in found.left_out
