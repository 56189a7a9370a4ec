"""`vigia validate`: quarantine loses nothing, the page is there, bad input is named."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from features.errors import InputError
from flows.cli.console import Screen
from flows.config.loading import load_config
from flows.config.train import TrainConfig
from flows.exit_codes import ExitCode
from flows.outcome import Outcome
from flows.steps.table import read_checked
from flows.steps.validate import validate_table
from flows.workspace import Workspace

N = 60


def frame(**changes: Any) -> pd.DataFrame:
    """Two series of thirty minutes, with whole columns or {row: cell} changed."""
    rng = np.random.default_rng(1)
    table = pd.DataFrame(
        {
            "series": ["pump 1"] * 30 + ["Lüfter №2"] * 30,
            "timestamp": list(pd.date_range("2026-01-05", periods=30, freq="min", tz="UTC")) * 2,
            "rms": rng.normal(1, 0.1, N),
            "peak": rng.normal(3, 0.1, N),
            "label": [0.0] * N,
            "note": [f"n{i}" for i in range(N)],
        }
    )
    for name, change in changes.items():
        if isinstance(change, dict):
            table[name] = table[name].astype(object)
            for row, cell in change.items():
                table.loc[row, name] = cell
        else:
            table[name] = change
    return table


def settings(uri: Path, *more: str) -> TrainConfig:
    base = [f"data.uri={uri}", "data.features=[rms, peak]", "validation.min_rows=10"]
    return load_config(TrainConfig, None, [*base, *more])


@pytest.fixture
def judge(tmp_path: Path) -> Callable[..., Outcome]:
    """Write a frame as CSV and validate it."""

    def run(table: pd.DataFrame, *more: str) -> Outcome:
        file = tmp_path / "table.csv"
        table.to_csv(file, index=False)
        workspace = Workspace(tmp_path / "w")
        return validate_table(settings(file, *more), workspace, Screen(quiet=True))

    return run


def test_rows_that_are_only_quarantined_are_no_failure_and_keep_all_their_columns(
    judge: Callable[..., Outcome],
) -> None:
    outcome = judge(frame(rms={3: "off", 7: "inf"}, label={5: 9, 3: 9}))
    assert outcome.exit_code == ExitCode.DONE
    kept = pq.read_table(outcome.paths["quarantine"]).to_pandas()
    assert list(kept.columns) == ["series", "timestamp", "rms", "peak", "label", "note", "rules"]
    assert kept[["note", "rms"]].to_numpy().tolist()[0] == ["n3", "off"]
    assert [list(rules) for rules in kept.rules] == [["type:rms", "label:label"], ["label:label"], ["finite:rms"]]
    page = Path(outcome.paths["page"]).read_text()
    assert "off" in page
    assert outcome.figures["quarantined"] == 3
    json.dumps(outcome.figures)


def test_a_table_without_a_column_of_series_is_one_series(judge: Callable[..., Outcome]) -> None:
    one = frame().iloc[:30].drop(columns="series")
    assert judge(frame()).lines[0] == ("Data", "60 rows, 2 series")
    assert judge(one, "data.series=null").lines[0] == ("Data", "30 rows, 1 series")


def test_a_refused_table_ends_with_the_input_code_and_a_page(judge: Callable[..., Outcome]) -> None:
    outcome = judge(frame(), "validation.min_rows=100")
    assert outcome.exit_code == ExitCode.INPUT
    assert ("Refused", "must hold at least 100 valid rows (validation.min_rows); 60 found") in outcome.lines
    assert "Refused" in Path(outcome.paths["page"]).read_text()


def test_nothing_is_left_in_quarantine_where_all_rows_are_valid(judge: Callable[..., Outcome]) -> None:
    outcome = judge(frame())
    assert "quarantine" not in outcome.paths
    assert not list(Path(outcome.paths["page"]).parent.glob("*quarantine*"))


def test_expectations_ranges_and_limits_come_from_the_configuration(judge: Callable[..., Outcome]) -> None:
    outcome = judge(
        frame(peak={4: 99}),
        "data.ranges={peak: [0, 10]}",
        "validation.expectations=[{type: expect_column_values_to_match_regex, kwargs: {column: note, regex: n}}]",
    )
    assert (outcome.figures["quarantined"], outcome.figures["implausible"]) == (0, 1)


def test_an_episode_lost_to_quarantine_is_kept_as_lost_and_reported_by_a_named_rule(tmp_path: Path) -> None:
    table = frame(rms={10: "inf", 11: None, 12: "inf"}, label={10: 1, 11: 1, 12: 0})
    table.to_csv(tmp_path / "t.csv", index=False)
    config = settings(tmp_path / "t.csv", "validation.sensor_health=[finite]")
    found = read_checked(config, tmp_path, tmp_path)
    assert found.lost.series.tolist() == ["pump 1", "pump 1"]
    assert found.lost.reported.tolist() == [True, False]
    assert len(found.rows) == N - 3


@pytest.mark.parametrize(
    ("changes", "more", "message"),
    [
        ({"rms": np.nan}, (), r"column 'rms': must not be missing or NaN; 60 of 60 rows break it"),
        ({"rms": np.inf}, (), r"column 'rms': must be finite; 60 of 60 rows break it, for example inf"),
        ({"rms": 1.5}, (), r"column 'rms': must not be constant .*always 1\.5"),
        ({"rms": "text"}, (), r"data\.features: column 'rms' must be numeric, got 'string'"),
        (
            {"label": 2},
            (),
            r"column 'label': must be 1, 0 or missing \(unknown\); 60 of 60 rows break it, for example 2",
        ),
        (
            {"series": "one"},
            (),
            r"column 'series,timestamp': must not occur twice; 60 of 60 rows break it, for example o",
        ),
        ({"timestamp": {3: "2026-01-05 00:03:00"}}, (), r"data\.timestamp: column 'timestamp' mixes times with a zone"),
        (
            {},
            ("data.features=[rms, pek]",),
            r"data\.features: must name a column of the table \(nearest: 'peak'\), got 'p",
        ),
        ({}, ("validation.unordered=refuse",), ""),
        ({}, ("data.ranges={rms: [3, 2]}",), r"data\.ranges\.rms: must be \[lowest, highest\], got \[3\.0, 2\.0\]"),
    ],
)
def test_bad_input_is_named_by_field_rule_and_value(
    tmp_path: Path, changes: dict[str, Any], more: tuple[str, ...], message: str
) -> None:
    frame(**changes).to_csv(tmp_path / "t.csv", index=False)
    if not message:
        shuffled = frame().iloc[::-1]
        shuffled.to_csv(tmp_path / "t.csv", index=False)
        message = r"column 'timestamp': must not lie before the row of its series above it; 58 of 60 rows break it"
    with pytest.raises(InputError, match=message):
        read_checked(settings(tmp_path / "t.csv", *more), tmp_path, tmp_path)


@pytest.mark.parametrize("rows", [0, 3])
def test_an_empty_or_tiny_table_says_how_many_rows_it_needs(tmp_path: Path, rows: int) -> None:
    frame().head(rows).to_parquet(tmp_path / "t.parquet", index=False)
    message = rf"must hold at least 10 valid rows \(validation\.min_rows\); {rows} found"
    with pytest.raises(InputError, match=message):
        read_checked(settings(tmp_path / "t.parquet"), tmp_path, tmp_path)


def test_unsorted_rows_are_tolerated_and_flagged(tmp_path: Path) -> None:
    frame().iloc[::-1].to_csv(tmp_path / "t.csv", index=False)
    found = read_checked(settings(tmp_path / "t.csv"), tmp_path, tmp_path)
    assert found.validation.implausible == 58
    assert found.rows.times is not None
    assert all(np.diff(found.rows.times)[np.diff(found.rows.series) == 0] > 0)
    assert found.rows.flags is not None
    assert sum(flags == ("unordered:timestamp",) for flags in found.rows.flags) == 58


def test_raw_records_are_validated_by_their_features(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    waves = [rng.normal(size=64).tolist() for _ in range(40)]
    waves[7] = None
    table = pa.table({"w": pa.array(waves, pa.list_(pa.float32())), "label": [0] * 40})
    pq.write_table(table, tmp_path / "t.parquet")
    named = ("data.series=null", "data.timestamp=null", "data.features='*'")
    record = "data.record={waveform: w, rate_hz: 8000}"
    found = read_checked(settings(tmp_path / "t.parquet", *named, record), tmp_path, tmp_path)
    assert found.rows.values.shape == (39, 10)
    assert found.quarantine is not None
    assert pq.read_table(found.quarantine).column("w").to_pylist() == [None]


def test_a_table_with_a_column_called_rules_keeps_it(judge: Callable[..., Outcome]) -> None:
    outcome = judge(frame(rms={3: "off"}).assign(rules="mine"))
    kept = pq.read_table(outcome.paths["quarantine"])
    assert (kept["rules"].to_pylist(), kept["rules_1"].to_pylist()) == (["mine"], [["type:rms"]])


def test_a_sensor_health_rule_may_name_a_column_with_a_space(tmp_path: Path) -> None:
    table = frame(rms={10: "inf"}, label={10: 1}).rename(columns={"rms": "oil temp"})
    table.to_csv(tmp_path / "t.csv", index=False)
    features = "data.features=[oil temp, peak]"
    for rule, told in (("finite:oil temp", [True]), ("finite:oil", [False])):
        config = settings(tmp_path / "t.csv", features, f"validation.sensor_health=['{rule}']")
        assert read_checked(config, tmp_path, tmp_path).lost.reported.tolist() == told


def test_the_index_that_pandas_writes_is_no_feature(tmp_path: Path) -> None:
    frame().drop(columns="note").to_csv(tmp_path / "i.csv")
    found = read_checked(settings(tmp_path / "i.csv", "data.features='*'"), tmp_path, tmp_path)
    assert found.rows.features == ("rms", "peak")


@pytest.mark.parametrize(
    ("expectation", "message"),
    [
        (
            "{type: a, kwargs: {column: rms, mostly: abc}, grade: table}",
            "mostly must be a number from 0 to 1, got 'abc'",
        ),
        ("{type: a, kwargs: {column: rms, mostly: 99}, grade: table}", "mostly must be a number from 0 to 1, got 99"),
        ("{type: a, kwargs: {column: rms, mostly: 0.5}}", "mostly is for grade table"),
    ],
)
def test_mostly_is_a_share_and_for_tables(expectation: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        load_config(TrainConfig, None, [f"validation.expectations=[{expectation}]"])


def test_anomalous_rows_without_a_key_are_counted(tmp_path: Path) -> None:
    frame(timestamp={10: None}, rms={11: "off"}, label={10: 1, 11: 1}).to_csv(tmp_path / "t.csv", index=False)
    found = read_checked(settings(tmp_path / "t.csv"), tmp_path, tmp_path)
    assert (len(found.lost.times), found.unplaced) == (1, 1)
