"""A file, then --set, then a frozen model; errors name the key."""

from datetime import timedelta
from pathlib import Path

import pytest
import yaml

from features.errors import InputError
from flows.config.loading import load_config
from flows.config.train import TrainConfig


def load(*settings: str) -> TrainConfig:
    return load_config(TrainConfig, None, settings)


def test_the_defaults_are_a_whole_configuration() -> None:
    assert load() == TrainConfig()


def test_settings_win_over_the_file_and_the_file_over_the_defaults(tmp_path: Path) -> None:
    file = tmp_path / "c.yaml"
    file.write_text("seed: 1\ndata: {uri: a.csv, series: null}\n")
    config = load_config(TrainConfig, file, ["seed=2", "data.features=[x, y]"])
    assert (config.seed, config.data.uri, config.data.series) == (2, "a.csv", None)
    assert config.data.features == ["x", "y"]
    assert config.data.timestamp == "timestamp"


def test_an_empty_file_means_the_defaults(tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text("# nothing\n")
    assert load_config(TrainConfig, tmp_path / "c.yaml") == TrainConfig()


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("data.urii=x", "data.urii: is not a known key; did you mean 'data.uri'?"),
        ("sed=1", "sed: is not a known key; did you mean 'seed'?"),
        ("uri=x", "uri: is not a known key; did you mean 'data.uri'?"),
        ("zzzzzzzz=1", "zzzzzzzz: is not a known key; known keys: model, seed, data"),
    ],
)
def test_an_unknown_key_gets_the_nearest_known_one(setting: str, message: str) -> None:
    with pytest.raises(InputError) as caught:
        load(setting)
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("30s", timedelta(seconds=30)),
        ("5m", timedelta(minutes=5)),
        ("5min", timedelta(minutes=5)),
        ("1.5h", timedelta(minutes=90)),
        ("2d", timedelta(days=2)),
        ("90", timedelta(seconds=90)),
        ("0s", timedelta(0)),
        ("1234567s", timedelta(seconds=1_234_567)),
        ("0.25s", timedelta(milliseconds=250)),
    ],
)
def test_durations_are_read_as_people_write_them_and_shown_so_that_they_read_back(text: str, span: timedelta) -> None:
    config = load(f"split.gap={text}")
    assert config.split.gap == span
    assert load(f"split.gap={config.model_dump(mode='json')['split']['gap']}") == config


@pytest.mark.parametrize("text", ["6 parsecs", "-5m", "h", "true", "99999999999d"])
def test_anything_else_is_no_duration(text: str) -> None:
    with pytest.raises(InputError, match=r"^split\.gap: "):
        load(f"split.gap={text}")


@pytest.mark.parametrize(
    "setting",
    [
        "seed=-1",
        "seed=1.5",
        "model=a/b",
        "validation.max_quarantined_share=1.1",
        "validation.min_rows=0",
        "search.trials=0",
        "search.families=[]",
        "search.families=[svm]",
        "history.rows=-1",
        "history.reducers=[]",
        "history.reducers=[median]",
        "history.max_gap=-5m",
        "alerts.row_rate=0",
        "alerts.row_rate=1",
        "alerts.onsets_per_series_day=.inf",
        "alerts.budget=guess",
        "drift.max_rows=99",
        "data.separator=';;'",
    ],
)
def test_a_value_out_of_range_names_its_key(setting: str) -> None:
    with pytest.raises(InputError) as caught:
        load(setting)
    assert caught.value.field.startswith(setting.partition("=")[0])


def test_shares_must_sum_to_one() -> None:
    with pytest.raises(InputError, match=r"^split: reference, selection, calibration and test must .* sum to 1"):
        load("split.reference=0.6")
    assert load("split.reference=0.4", "split.test=0.3").split.test == 0.3


@pytest.mark.parametrize("setting", ["history.reducers=[mean, mean]", "history.max_gap=0s"])
def test_a_history_must_be_sound(setting: str) -> None:
    with pytest.raises(InputError, match=r"^history: (reducers|max_gap) must"):
        load(setting)


@pytest.mark.parametrize("setting", ["seed", "=3", "seed.deeper=1", "seed=[1"])
def test_a_setting_that_cannot_be_read_is_refused(setting: str) -> None:
    with pytest.raises(InputError, match=r"^--set: "):
        load("seed=1", setting)


@pytest.mark.parametrize("content", [b"- a\n- b\n", b"a: [1\n", b"a: \xff\n", b"only text"])
def test_a_file_that_holds_no_keys_and_values_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "c.yaml").write_bytes(content)
    with pytest.raises(InputError, match=r"^--config: .*c\.yaml"):
        load_config(TrainConfig, tmp_path / "c.yaml")


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="--config: must name a readable file"):
        load_config(TrainConfig, tmp_path / "absent.yaml")


def test_a_configuration_is_frozen() -> None:
    with pytest.raises(ValueError, match="frozen"):
        load().data.uri = "other"  # type: ignore[misc]


def test_what_is_dumped_loads_back(tmp_path: Path) -> None:
    config = load("split.gap=90m", "alerts.merge=45s", "data.label=null", "history.max_gap=15m")
    (tmp_path / "c.yaml").write_text(yaml.safe_dump(config.model_dump(mode="json")))
    assert load_config(TrainConfig, tmp_path / "c.yaml") == config


def test_a_password_in_a_uri_is_refused_before_it_is_shown_anywhere() -> None:
    with pytest.raises(InputError, match=r"data\.uri: must not hold a password") as caught:
        load_config(TrainConfig, None, ["data.uri=postgresql://ada:hush@db/plant?table=rows"])
    assert "hush" not in str(caught.value)


def test_the_columns_of_the_simulated_fleet_are_known_and_can_be_configured() -> None:
    known = load_config(TrainConfig, None).data
    assert (known.group, len(known.features), known.regime is not None) == ("machine", 10, True)
    assert load_config(TrainConfig, None, ["data.group=null"]).data.group is None
    other = load_config(TrainConfig, None, ["data.uri=my.csv"]).data
    assert (other.group, other.features, other.regime) == (None, "*", None)
