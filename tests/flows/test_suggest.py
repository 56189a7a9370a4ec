"""The configuration suggested for a table: it loads back to what is used, and departs from defaults for a reason."""

import argparse
import csv
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from features.errors import InputError
from features.guess.keys import Role
from features.guess.roles import Guess
from features.schema import Schema
from flows.cli.configuration import configured
from flows.cli.console import Screen
from flows.config.loading import from_text, load_config
from flows.config.rendering import render, tree_of
from flows.config.suggestion import Setting, Suggestion
from flows.config.train import TrainConfig
from flows.steps.configure import Configured, configure, model_name, told, write_configuration
from flows.steps.table import open_data

START = datetime(2024, 1, 1, tzinfo=UTC)
HOSTILE = ["a: b", "-x", "#", "'", '"', "größe °C", "null", "1", "=", "<<", "[", "a, b", "{x}", "%", "\t", "y" * 200]


def table(folder: Path, columns: dict[str, object], name: str = "my.csv", separator: str = ",") -> str:
    with (folder / name).open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, delimiter=separator)
        writer.writerow(columns)
        writer.writerows(zip(*columns.values(), strict=True))  # type: ignore[call-overload]
    return str(folder / name)


def readings(step: timedelta, n: int = 1_200, series: int = 1) -> dict[str, object]:
    rng = np.random.default_rng(5)
    times = [(START + step * (k // series)).strftime("%Y-%m-%d %H:%M:%S") for k in range(n)]
    keys = {"machine": [f"m{k % series}" for k in range(n)]} if series > 1 else {}
    return {"time": times, **keys, "rms": rng.gamma(4, 1, n).round(4), "temperature": rng.normal(0, 5, n).round(3)}


def loads_back(done: Configured, folder: Path) -> bool:
    (folder / "back.yaml").write_text(done.text, encoding="utf-8")
    return load_config(TrainConfig, folder / "back.yaml") == done.config


def uncommented(text: str) -> TrainConfig:
    """The configuration once the lines that it suggests are taken in."""
    hints = r"^( *)# (validation:|  expectations:|expectations:|  - .*|- .*)$"
    return from_text(TrainConfig, re.sub(hints, r"\1\2", text, flags=re.MULTILINE))


@pytest.mark.parametrize("separator", [",", ";"])
def test_a_table_without_yaml_becomes_a_configuration_that_its_source_accepts(tmp_path: Path, separator: str) -> None:
    uri = table(tmp_path, readings(timedelta(minutes=5), series=3), separator=separator)
    done = configure(uri)
    assert loads_back(done, tmp_path)
    assert done.config.model == "my"
    assert open_data(done.config.data, tmp_path).schema == Schema(("rms", "temperature"), "machine", "time")
    written = yaml.safe_load(done.text)["data"]
    assert written["label"] is None
    assert {"uri", "series", "timestamp", "features"} <= set(written)


def test_any_names_of_columns_load_back(tmp_path: Path) -> None:
    columns = readings(timedelta(minutes=5))
    done = configure(table(tmp_path, columns | dict.fromkeys(HOSTILE, columns["rms"])))
    assert done.config.data.features == ["rms", "temperature", *HOSTILE]
    assert loads_back(done, tmp_path)
    assert set(done.config.data.ranges) == set(done.config.data.features)
    assert {own.kwargs["column"] for own in uncommented(done.text).validation.expectations} == {"rms", *HOSTILE}


@settings(max_examples=200, deadline=None)
@given(
    names=st.lists(st.text(min_size=1, max_size=30), min_size=1, max_size=6, unique=True),
    low=st.floats(allow_nan=False, allow_infinity=False),
    reason=st.text(max_size=200),
)
def test_any_text_survives_the_rendering(names: list[str], low: float, reason: str) -> None:
    found = (
        Setting("model", "", "m", (reason,)),
        Setting("data", "uri", names[0], (reason,)),
        Setting("data", "series", names[-1]),
        Setting("data", "features", names, (reason, reason)),
        Setting("data", "ranges", {name: [low, 1.0] for name in names}),
    )
    text = render(tree_of(found), Suggestion(found, tuple(names)), (reason,))
    config = from_text(TrainConfig, text)
    assert (config.data.uri, config.data.series, config.data.features) == (names[0], names[-1], names)
    assert config.data.ranges == dict.fromkeys(names, (low, 1.0))


def test_settings_come_last_and_stand_in_the_text(tmp_path: Path) -> None:
    uri = table(tmp_path, readings(timedelta(minutes=5)))
    done = configure(uri, ["seed=3", "data.timestamp=null", "search.families=[isolation_forest]", "model=pumps"])
    assert (done.config.seed, done.config.data.timestamp, done.config.model) == (3, None, "pumps")
    assert done.config.search.families == ["isolation_forest"]
    assert loads_back(done, tmp_path)


def test_given_roles_are_taken_into_the_guess(tmp_path: Path) -> None:
    uri = table(tmp_path, readings(timedelta(minutes=5)) | {"odd": [0, 1] * 600, "speed": range(1_200)})
    rule = ["data.regime.column=speed", "data.regime.off_below=1", "data.regime.high_from=900"]
    done = configure(uri, ["data.label=odd", "data.features=[rms]", *rule])
    assert open_data(done.config.data, tmp_path).schema.columns == ["time", "odd", "speed", "rms"]
    assert list(done.config.data.ranges) == ["rms"]
    assert loads_back(done, tmp_path)


def test_ranges_hold_the_middle_of_the_sample_and_two_digits(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    columns = {"large": 101_325 + rng.normal(0, 2, 1_200), "small": rng.normal(3e-7, 1e-8, 1_200), "on": [0, 1] * 600}
    ranges = configure(table(tmp_path, columns)).config.data.ranges
    assert ranges["large"] == (101_305, 101_345)
    assert ranges["small"] == pytest.approx((1.9e-7, 4.1e-7))
    assert "on" not in ranges


def test_expectations_are_suggested_as_comments_only(tmp_path: Path) -> None:
    done = configure(table(tmp_path, readings(timedelta(minutes=5))))
    assert done.config.validation.expectations == []
    (own,) = uncommented(done.text).validation.expectations
    assert (own.kwargs, own.grade) == ({"column": "rms", "min_value": 0}, "implausible")


def test_long_tables_keep_the_defaults(tmp_path: Path) -> None:
    config = configure(table(tmp_path, readings(timedelta(minutes=5), n=12_000))).config
    default = TrainConfig()
    assert (config.split, config.alerts, config.validation) == (default.split, default.alerts, default.validation)


def test_a_short_table_gets_a_smaller_gap_and_merge(tmp_path: Path) -> None:
    done = configure(table(tmp_path, readings(timedelta(seconds=1))))
    assert (done.config.split.gap, done.config.alerts.merge) == (timedelta(seconds=30), timedelta(seconds=30))
    assert "# gaps of 6h would drop a window" in done.text


def test_slow_rows_get_a_longer_merge(tmp_path: Path) -> None:
    config = configure(table(tmp_path, readings(timedelta(days=1)))).config
    assert config.alerts.merge == timedelta(days=3)


def test_series_that_follow_one_another_are_cut_between(tmp_path: Path) -> None:
    columns = readings(timedelta(seconds=1))
    columns["experiment"] = [f"e{k // 100}" for k in range(1_200)]
    assert configure(table(tmp_path, columns)).config.split.between_series


def test_a_tiny_table_gets_limits_that_it_can_meet(tmp_path: Path) -> None:
    config = configure(table(tmp_path, {"x": np.random.default_rng(2).normal(size=300), "y": [0, 1, 0] * 100})).config
    assert (config.validation.min_rows, config.alerts.row_rate) == (270, 0.04)


def test_missing_cells_raise_the_share_that_may_be_set_aside(tmp_path: Path) -> None:
    x = np.random.default_rng(3).normal(size=(1_200, 4)).round(3).astype(str)
    for k in range(4):
        x[k::15, k] = ""
    config = configure(table(tmp_path, {f"x{k}": x[:, k] for k in range(4)})).config
    assert config.validation.max_quarantined_share == 0.3


def test_the_columns_of_the_fleet_are_known() -> None:
    done = configure("fleet://?sensors=4&days=3")
    assert done.guess is None
    assert done.config == load_config(TrainConfig, None, ["data.uri=fleet://?sensors=4&days=3"])


def test_a_file_is_written_once_and_names_the_next_command(tmp_path: Path) -> None:
    uri, out = table(tmp_path, readings(timedelta(minutes=5))), tmp_path / "my table.yaml"
    done, outcome = write_configuration(uri, [], out, False)
    assert load_config(TrainConfig, out) == done.config
    assert outcome.next_command == f"train --config '{out}'"
    with pytest.raises(InputError, match=r"--out: must not exist yet \(--force replaces a file\)"):
        write_configuration(uri, [], out, False)
    write_configuration(uri, ["seed=1"], out, True)
    assert load_config(TrainConfig, out).seed == 1
    with pytest.raises(InputError, match="--out: must not exist yet"):
        write_configuration(uri, [], tmp_path, True)


def test_people_read_each_role_with_its_reason() -> None:
    none = Role(None, "why not")
    guess = Guess(Role("t", "why"), None, none, none, none, none, ("x",), {"c": "always 1"}, 10)
    lines = told(Configured(TrainConfig(), "", guess, whole=False))
    assert lines[0] == "Roles guessed from the first 10 rows (later ones may differ):"
    assert "  timestamp  't': why" in lines
    assert "  series     none: why not" in lines
    assert "  left out   'c': always 1" in lines


@pytest.mark.parametrize(
    ("uri", "name"),
    [
        ("a/my.csv", "my"), ("my.csv.gz", "my"), ("s3://bucket/k/x y.parquet", "x-y"), ("readings/*.csv", "readings"),
        ("readings/", "readings"), ("postgresql://u@h/db?table=plant.pumps", "plant.pumps"),
        ("postgresql://u@h/db?query=select%201", "db"), ("-.csv", "table"), ("größe.tsv", "gr-e"), ("*.csv", "table"),
    ],
)  # fmt: skip
def test_a_model_is_named_after_its_table(uri: str, name: str) -> None:
    assert model_name(uri) == name
    TrainConfig(model=name)


def test_of_a_wide_table_the_screen_shows_the_beginning_and_says_where_the_rest_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wide = {f"tag_{k:03d}": np.random.default_rng(k).gamma(4, 1, 200) for k in range(150)}
    uri = table(tmp_path, wide, "wide.csv")
    configured(argparse.Namespace(uri=uri, config=None, set=[]), Screen(quiet=False))
    said = capsys.readouterr().out.splitlines()
    assert any(line.endswith("'tag_029' and 120 more") for line in said)
    assert f"more lines: `vigia config init {uri}` writes them all" in said[-2]
    assert len(said) < 120
