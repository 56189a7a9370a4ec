"""`vigia baselines refresh`: new series join a model by a new bundle; a table that breaks the budget is refused."""

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from features.fleet.simulator import FEATURES, Fleet, simulate_fleet
from features.storage import read_folder
from flows.adapters.registry import registry_of
from flows.cli.main import main
from flows.environments import find_environment
from flows.workspace import Workspace
from serving.baselines import Stratum
from serving.bundle import Bundle, open_bundle

QUICK = ["--set", "search.min_labels=1000000", "--set", "validation.min_rows=100"]


def run(workspace: Path, *arguments: str) -> tuple[int, dict[str, object]]:
    summary = workspace.parent / "summary.json"
    code = main([*arguments, "--quiet", "--workspace", str(workspace), "--summary", str(summary)])
    return code, json.loads(summary.read_text())


def bundle_of(summary: dict[str, object]) -> Bundle:
    paths = summary["paths"]
    assert isinstance(paths, dict)
    return open_bundle(read_folder(paths["bundle"]))


TABLE = "fleet://?sensors=8&days=4&seed=3"


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Bundle]:
    """A workspace with a model of eight sensors, trained without a search."""
    found = tmp_path_factory.mktemp("baselines") / "w"
    code, summary = run(found, "train", TABLE, *QUICK)
    assert code == 0
    return found, bundle_of(summary)


def strata(bundle: Bundle, series: list[str]) -> list[int]:
    """The best stratum of each series, over its operating states."""
    assert bundle.scorer.baselines is not None
    found = [bundle.scorer.baselines.find(series, [regime] * len(series)) for regime in ("low", "high")]
    return np.minimum(*(bundle.scorer.baselines.stratum[at] for at in found)).tolist()


def test_new_series_get_baselines_and_everything_else_stays(trained: tuple[Path, Bundle]) -> None:
    workspace, before = trained
    code, done = run(workspace, "baselines", "refresh", TABLE.replace("=8", "=10"), *QUICK)
    assert code == 0
    after = bundle_of(done)
    assert before.digest != after.digest
    assert before.manifest == after.manifest
    lineage = json.loads((Path(str(done["paths"]["run"])) / "lineage.json").read_text())  # type: ignore[index]
    assert (lineage["before"], lineage["digest"]) == (before.digest, after.digest)
    assert [*lineage["windows"]] == ["reference", "selection", "calibration", "test", "baselines"]
    new = [f"sensor_{n:05d}_{axis}" for n in (8, 9) for axis in "rxz"]
    assert strata(before, new) == [Stratum.UNSEEN] * 6
    assert max(strata(after, new)) < Stratum.UNSEEN


def test_the_roles_of_a_file_are_guessed_as_for_a_score(trained: tuple[Path, Bundle], tmp_path: Path) -> None:
    table = pa.Table.from_batches(simulate_fleet(Fleet(8, 4, 3)))
    pq.write_table(table.rename_columns({"timestamp": "time", "series": "sensor id"}), tmp_path / "own.parquet")
    regime = "data.regime={column: speed_hz, off_below: 1, high_from: 25}"
    code, done = run(trained[0], "baselines", "refresh", str(tmp_path / "own.parquet"), "--set", regime)
    assert (code, done["error"]) == (0, "")
    figures = done["figures"]
    assert isinstance(figures, dict)
    assert figures["added"] == 0, "the series are those of the model"


def test_a_table_whose_alerts_break_the_budget_is_refused(
    trained: tuple[Path, Bundle], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    table = pa.Table.from_batches(simulate_fleet(Fleet(8, 4, 3)))
    late = table["timestamp"].to_numpy() >= np.datetime64("2026-01-08T01", "us")
    for name in FEATURES:
        values = np.where(late, 1.5 * table[name].to_numpy(), table[name].to_numpy())
        table = table.set_column(table.schema.get_field_index(name), name, pa.array(values))
    pq.write_table(table, tmp_path / "changed.parquet")
    roles = ["data.group=machine", "data.regime={column: speed_hz, off_below: 1, high_from: 25}"]
    settings = [part for role in roles for part in ("--set", role)]
    registry = registry_of(find_environment("local", Workspace(trained[0])))
    before = registry.by_alias("anomaly-detector", "challenger")
    code, done = run(trained[0], "baselines", "refresh", str(tmp_path / "changed.parquet"), *QUICK, *settings)
    assert code == 3
    assert "alerts a row where 0.01 are budgeted" in capfd.readouterr().err
    refused = registry.by_version("anomaly-detector", str(done["version"]))
    assert (refused.tags["gate"], refused.digest) == ("refuse", done["digest"])
    assert registry.by_alias("anomaly-detector", "challenger") == before


def test_a_model_without_baselines_is_refused_by_name(
    trained: tuple[Path, Bundle], capfd: pytest.CaptureFixture[str]
) -> None:
    assert run(trained[0], "train", TABLE, *QUICK, "--set", "baselines.use=never", "--set", "model=plain")[0] == 0
    code, _ = run(trained[0], "baselines", "refresh", TABLE, *QUICK, "--model", "plain")
    assert code == 2
    assert "must be a model with baselines" in capfd.readouterr().err
