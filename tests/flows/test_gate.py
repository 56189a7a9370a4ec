"""`vigia train` beside a champion: what is worse on purpose is refused for what is wrong with it; no alias moves.

What is slow here has its small form, without files and registry, in tests/evaluation/gate/test_challengers.py.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from numpy.typing import NDArray

from features.fleet.simulator import FEATURES, Fleet, simulate_fleet
from flows.adapters.registry import ModelVersion, Registry, registry_of
from flows.cli.main import main
from flows.environments import find_environment
from flows.workspace import Workspace

CHAMPION = "champion-local"
QUICK = ["search.min_labels=1000000", "search.families=[isolation_forest]", "data.group=machine", "model=m"]
STATES = "data.regime={column: speed_hz, off_below: 1, high_from: 25}"


@dataclass(frozen=True)
class Place:
    """A workspace, the table of its champion, and that version."""

    root: Path
    table: pa.Table
    registry: Registry
    champion: ModelVersion

    def alias(self, name: str) -> str | None:
        """The version under an alias."""
        found = self.registry.by_alias("m", name)
        return None if found is None else found.version


@dataclass(frozen=True)
class Done:
    """Exit code and summary of one training."""

    code: int
    summary: dict[str, Any]

    @property
    def gate(self) -> dict[str, tuple[str, str]]:
        """Outcome and sentence by rule."""
        return {r["rule"]: (r["outcome"], r["sentence"]) for r in self.summary["figures"]["gate"]["reasons"]}

    @property
    def refused(self) -> dict[str, str]:
        """Sentences of the rules that refused."""
        return {rule: sentence for rule, (outcome, sentence) in self.gate.items() if outcome == "refuse"}


def run(root: Path, table: pa.Table | Path, *settings: str, features: tuple[str, ...] = FEATURES) -> Done:
    """Train on a table, as a person does."""
    file, summary = root.parent / "table.parquet", root.parent / "summary.json"
    if isinstance(table, pa.Table):
        pq.write_table(table, file)
    chosen = [*QUICK, STATES, f"data.features={json.dumps(features)}", *settings]
    arguments = [part for setting in chosen for part in ("--set", setting)]
    common = ["--quiet", "--workspace", str(root), "--summary", str(summary)]
    code = main(["train", "--set", f"data.uri={file}", *arguments, *common])
    return Done(code, json.loads(summary.read_text()))


def changed(table: pa.Table, name: str, values: NDArray[np.float64]) -> pa.Table:
    """The table with other values of a column, or one column more."""
    at = table.schema.get_field_index(name)
    column = pa.array(values)
    return table.append_column(name, column) if at < 0 else table.set_column(at, name, column)


def share_of_time(table: pa.Table) -> NDArray[np.float64]:
    """(n,) where a row lies in the table's time, 0 to 1."""
    times = table["timestamp"].to_numpy().astype(np.int64)
    return np.asarray((times - times.min()) / (times.max() - times.min()))


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """A first model, and the champion alias on it."""
    table = pa.Table.from_batches(simulate_fleet(Fleet(sensors=12, days=8, seed=3)))
    root = tmp_path_factory.mktemp("gate") / "w"
    first = run(root, table)
    assert (first.code, first.gate["comparison"]) == (0, ("pass", "there is no champion to compare with"))
    registry = registry_of(find_environment("local", Workspace(root)))
    registry.set_alias("m", CHAMPION, "1")
    return Place(root, table, registry, registry.by_version("m", "1"))


def test_a_leaked_label_is_refused_by_name_and_everything_but_the_alias_is_kept(
    place: Place, capfd: pytest.CaptureFixture[str]
) -> None:
    noise = np.random.default_rng(0).normal(0, 0.05, len(place.table))
    label = np.nan_to_num(place.table["label"].to_numpy().astype(float))
    challenger = place.alias("challenger")
    leaking = changed(place.table, "ticket_open", label + noise)
    done = run(place.root, leaking, "gate.allow_schema_change=true", features=(*FEATURES, "ticket_open"))
    how = "leave it out of data.features, or name it in gate.allowed_features where that is right"
    why = f"a leak is suspected: 'ticket_open' (1.0000) alone tells the labels, AUROC above 0.995; {how}"
    assert (done.code, done.refused) == (3, {"leak": why})
    assert f"leak: {why}" in capfd.readouterr().err
    assert f"leak: {why}" in done.summary["error"]
    assert (place.alias("challenger"), place.alias(CHAMPION)) == (challenger, "1")

    version = place.registry.by_version("m", done.summary["version"])
    assert version.digest == done.summary["digest"]
    assert (version.tags["gate"], version.tags["gate_registered"]) == ("refuse", "false")
    assert f"leak: {why}" in version.tags["gate_reasons"].splitlines()
    assert version.tags["compared_with"] == f"version 1 sha256:{place.champion.digest}"
    folder = Path(done.summary["paths"]["run"])
    kept = {"config.yaml", "figures.json", "gate.json", "lineage.json", "validation.html", "drift.html"}
    assert kept <= {file.name for file in folder.iterdir()}
    assert json.loads((folder / "figures.json").read_text()) == done.summary["figures"]
    assert all(place.registry.read(version.run_id, name) == (folder / name).read_bytes() for name in kept)
    assert not kept & {file.name for file in Path(done.summary["paths"]["bundle"]).iterdir()}


def test_another_unit_of_one_feature_is_refused_by_name(place: Place) -> None:
    done = run(place.root, changed(place.table, "rms", 1_000.0 * place.table["rms"].to_numpy()))
    assert (done.code, [*done.refused]) == (3, ["units"])
    assert done.refused["units"].startswith("another unit is suspected: 'rms' had centre 0.2")


def test_a_calibration_of_few_rows_is_refused_in_place_of_one_of_many(place: Place) -> None:
    few = "split={reference: 0.595, selection: 0.1, calibration: 0.005, test: 0.3, gap: 0s}"
    done = run(place.root, place.table, few)
    assert (done.code, [*done.refused]) == (3, ["calibration"])
    assert done.refused["calibration"].endswith("bring more calibration rows")
    left_out = done.summary["figures"]["comparison"]["left_out"]
    assert 0 < left_out < done.summary["figures"]["test"]["rows"]  # the champion was calibrated on them
    assert done.gate["comparison"][1].endswith(f"({left_out:,} rows of training windows left out)")


@pytest.mark.slow
def test_a_feature_of_other_rows_since_the_test_window_began_is_refused_for_too_many_alerts(place: Place) -> None:
    late, values = share_of_time(place.table) > 0.8, place.table["crest_factor"].to_numpy().copy()
    values[late] = np.random.default_rng(5).permutation(values[late])
    shuffled = changed(place.table, "crest_factor", values)
    done = run(place.root, shuffled, "search.families=[linear_autoencoder]")
    assert (done.code, [*done.refused]) == (3, ["alerts"])
    assert done.refused["alerts"].endswith("too many alerts, beyond the budget of 0.01")


@pytest.mark.slow
def test_a_threshold_from_days_that_were_loud_is_refused_as_worse_without_a_label(place: Place) -> None:
    where = share_of_time(place.table)
    loud = np.where((where > 0.6) & (where < 0.8), np.random.default_rng(5).choice([0.2, 5.0], len(where)), 1.0)
    table = place.table
    for name in FEATURES:
        table = changed(table, name, loud * table[name].to_numpy())
    done = run(place.root, table, "data.label=null")
    assert (done.code, [*done.refused]) == (3, ["comparison"])
    assert done.refused["comparison"].startswith("recall of injected faults 0.0")
    assert done.refused["comparison"].endswith("worse by more than 0.05")
    assert done.summary["figures"]["stability"]["seeds"] == 5
    assert done.summary["figures"]["test"]["figures"]["auroc"]["reason"] == "no row has a label"


@pytest.mark.slow
def test_an_equal_challenger_is_registered_and_never_called_better(place: Place) -> None:
    done = run(place.root, place.table, "seed=8")
    assert (done.code, done.refused) == (0, {})
    assert done.gate["comparison"][0] in ("pass", "inconclusive")
    assert "better" not in json.dumps(done.summary["figures"]["gate"])
    assert place.alias("challenger") == done.summary["version"]


@pytest.mark.slow
def test_the_champions_own_bundle_comes_out_again_to_the_byte_and_passes(place: Place) -> None:
    done = run(place.root, place.table)
    assert (done.code, done.summary["digest"], done.summary["version"]) == (0, place.champion.digest, "1")
    assert done.gate["comparison"] == ("pass", "the challenger is the champion's own bundle, to the byte")


def test_a_champion_that_cannot_be_loaded_stops_the_training_and_says_how_to_go_on(
    place: Place, capfd: pytest.CaptureFixture[str]
) -> None:
    broken = place.registry.register("m", (place.root / "gone").as_uri(), "0" * 64, place.champion.run_id)
    place.registry.set_alias("m", "broken", broken.version)
    done = run(place.root, place.table, "gate.champion=broken")
    assert done.code == 4
    assert f"champion m version {broken.version} (broken)" in capfd.readouterr().err
    instead, resumed = done.summary["error"].split("; ")[1:]
    assert instead == "set gate.champion to null to train without a comparison"
    name = max(folder.name for folder in (place.root / "runs").glob("*-train-*"))
    assert resumed == f"when that is over, vigia train --resume {name} finishes the run"
