"""`vigia drift`: any table or span of time against a bundle's reference, with a verdict by exit code."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from features.fleet.simulator import Fleet, simulate_fleet
from features.schema import Schema
from features.sources.opening import Access, open_source
from features.storage import publish_folder, read_folder
from flows.adapters.registry import registry_of
from flows.cli.main import main
from flows.environments import find_environment
from flows.steps.sampling import Span, sample_table
from flows.steps.table import Opened
from flows.workspace import Workspace
from serving.bundle import beside, open_bundle, pack
from tests.serving.service import publish

HOUR = 3_600_000_000
NAMES = ("a", "b", "c")


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The folder of a forest over normal rows around 5."""
    ref = publish(tmp_path_factory.mktemp("store"), values=np.random.default_rng(0).normal(5, 2, (3_000, 3)))
    return ref.uri


def table(n: int = 3_000, seed: int = 1, **shifts: float) -> dict[str, Any]:
    """Rows of 20 sensors as the reference's, some columns shifted."""
    rng = np.random.default_rng(seed)
    columns: dict[str, Any] = {name: rng.normal(5, 2, n) + shifts.get(name, 0.0) for name in NAMES}
    at = pa.array(np.arange(n) // 20 * HOUR).cast(pa.timestamp("us"))
    return {"when": at, "sensor": [f"s{k % 20:02d}" for k in range(n)], "note": ["x"] * n, **columns}


def run(folder: Path, bundle: str, columns: dict[str, Any], *options: str) -> tuple[int, dict[str, Any]]:
    pq.write_table(pa.table(columns), folder / "t.parquet")
    summary = folder / "summary.json"
    where = ["--workspace", str(folder / "w"), "--quiet", "--summary", str(summary)]
    code = main(["drift", "--bundle", bundle, "--data", str(folder / "t.parquet"), *where, *options])
    return code, json.loads(summary.read_text())


def test_before_the_first_model_there_is_nothing_to_do_unless_one_was_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As the schedule of a new environment runs it."""
    where = ["drift", "--workspace", str(tmp_path / "w")]
    assert main([*where, "--result-line"]) == 0
    said = capsys.readouterr().out
    assert "nothing to compare with yet: neither champion-local nor challenger points at a version" in said
    assert '"exit_code":0' in said.splitlines()[-1]
    for named in (["--alias", "challenger"], ["--model", "another"], ["--version", "1"]):
        assert main([*where, *named]) == 2


@pytest.mark.parametrize(
    ("shifts", "code", "verdict"),
    [({"b": 1.2}, 10, "watch"), ({"b": -6.0}, 11, "retrain")],
)
def test_the_verdict_is_the_exit_code_and_the_files_say_why(
    tmp_path: Path, bundle: str, shifts: dict[str, float], code: int, verdict: str
) -> None:
    found, summary = run(tmp_path, bundle, table(**shifts))
    assert (found, summary["figures"]["verdict"]) == (code, verdict)
    paths = {name: Path(path) for name, path in summary["paths"].items()}
    written = json.loads(paths["figures"].read_text())
    effects = {effect["feature"]: effect for effect in written["effects"]}
    assert [*effects] == [*NAMES]
    assert effects["b"]["shift"]["value"] == pytest.approx(shifts.get("b", 0.0) / 2, abs=0.15)
    assert (written["reference_rows"], written["current_rows"]) == (3_000, 3_000)
    assert written["evidently"]["method"] == "wasserstein"
    assert all(reason in paths["drift"].read_text() for reason in written["reasons"])
    assert paths["evidently"].name in paths["drift"].read_text()
    assert paths["evidently"].is_file()


def test_a_span_of_time_is_compared_alone_and_rows_that_cannot_be_are_counted(tmp_path: Path, bundle: str) -> None:
    columns = table()
    columns["b"][2_000:] += 6.0
    columns["a"][:7] = np.nan
    columns["failed"] = [int(k % 50 == 0) for k in range(3_000)]
    early, summary = run(tmp_path, bundle, columns, "--to", "1970-01-05T04:00")
    assert early == 0
    assert summary["figures"]["rows"] == {
        "inside": 2_000, "eligible": 1_954, "incomplete": 7, "anomalous": 39, "at_rest": 0
    }  # fmt: skip
    late, summary = run(tmp_path, bundle, columns, "--from", "1970-01-05T04:00+00:00", "--set", "data.label=null")
    assert (late, summary["figures"]["rows"]["eligible"]) == (11, 1_000)
    last, again = run(tmp_path, bundle, columns, "--last", "50h", "--set", "data.label=null")
    assert (last, again["figures"]["rows"]) == (11, summary["figures"]["rows"])  # the newest row is of hour 149


def test_what_is_to_be_trained_again_keeps_its_name(
    tmp_path: Path, bundle: str, capsys: pytest.CaptureFixture[str]
) -> None:
    place = find_environment("local", Workspace(tmp_path / "w"))
    registry = registry_of(place)
    with registry.run("pump", "r", {}) as run_id:
        registry.register("pump", bundle, open_bundle(read_folder(bundle)).digest, run_id)
    registry.set_alias("pump", "challenger", "1")
    pq.write_table(pa.table(table(a=20.0)), tmp_path / "new rows.parquet")
    code = main(["drift", str(tmp_path / "new rows.parquet"), "--workspace", str(tmp_path / "w")])
    assert code == 11
    assert f"train '{tmp_path / 'new rows.parquet'}' --set model=pump" in capsys.readouterr().out


def test_a_sample_depends_on_the_seed_and_not_on_the_blocks_of_the_table(tmp_path: Path) -> None:
    file = tmp_path / "t.parquet"
    pq.write_table(pa.table(table()), file)
    schema = Schema(NAMES, series="sensor", timestamp="when")
    source = open_source(str(file))
    cut = open_source(str(file), Access(block_rows=70))
    whole, pieces, other = (
        sample_table(Opened(opened, schema), Span(), 500, seed) for opened, seed in ((source, 1), (cut, 1), (source, 2))
    )
    assert len(whole.rows) == 500
    assert whole.eligible == 3_000
    assert (whole.rows.values == pieces.rows.values).all()
    assert not (whole.rows.values == other.rows.values).all()


@pytest.mark.parametrize(
    ("changes", "options", "words"),
    [
        ({"b": None}, [], "data.features: must name a column of the table"),
        ({"b": [float("nan")] * 3_000}, [], "data.features: must hold numbers in the rows to compare; without any"),
        ({}, ["--to", "1970-01-01T04:00"], "to compare before 1970-01-01T04:00:00Z (left out there: none), got 80"),
        (
            {"a": [float("nan")] * 2_950 + [5.0] * 50},
            ["--from", "1969-01-01", "--to", "2000-01-01"],
            "from 1969-01-01T00:00:00Z on before 2000-01-01T00:00:00Z (left out there: 2,950 incomplete), got 50",
        ),
        ({}, ["--last", "1h"], "to compare from 1970-01-07T04:00:00Z on (left out there: none), got 20"),
        ({}, ["--last", "7"], "--last: must have a unit: s, m, h or d, got '7'"),
        ({}, ["--from", "yesterday"], "--from: must be a time"),
        ({}, ["--from", "1970-01-02", "--set", "data.timestamp=null"], "--from, --to: needs data.timestamp"),
        ({}, ["--last", "2d", "--set", "data.timestamp=null"], "--last: needs data.timestamp"),
        ({}, ["--last", "2 weeks"], "--last: must be a duration such as 30s, 5m, 6h or 2d, got '2 weeks'"),
        ({}, ["--last", "0d"], "--last: must be above 0, got '0d'"),
        ({}, ["--last", "1d", "--to", "1970-01-02"], "--last: stands in place of --from and --to"),
        ({}, ["--set", "drift.watch_shift=2"], "watch_shift must not be above retrain_shift"),
    ],
)
def test_what_cannot_be_compared_is_said(
    tmp_path: Path,
    bundle: str,
    changes: dict[str, Any],
    options: list[str],
    words: str,
    capfd: pytest.CaptureFixture[str],
) -> None:
    columns = {name: column for name, column in (table() | changes).items() if column is not None}
    code, _ = run(tmp_path, bundle, columns, *options)
    assert code == 2
    assert words in capfd.readouterr().err


def test_a_bundle_without_reference_rows_says_to_train_again(
    tmp_path: Path, bundle: str, capfd: pytest.CaptureFixture[str]
) -> None:
    files = read_folder(bundle)
    old = pack(open_bundle(files).manifest, files["model.onnx"])
    assert beside(old) == {}
    publish_folder(old, (tmp_path / "old").as_uri())
    assert run(tmp_path, str(tmp_path / "old"), table())[0] == 2
    assert "must hold reference.parquet; train it again" in capfd.readouterr().err


def test_baselines_by_state_need_the_column_of_states(
    tmp_path: Path, trained: tuple[Workspace, dict[str, Any]], capfd: pytest.CaptureFixture[str]
) -> None:
    fleet = pa.Table.from_batches(simulate_fleet(Fleet(4, 2, 3))).drop_columns(["speed_hz", "load"])
    folder = trained[1]["paths"]["bundle"]
    assert run(tmp_path, folder, {name: fleet[name] for name in fleet.column_names})[0] == 2
    assert "data.regime: must be set, as the bundle's baselines are by it" in capfd.readouterr().err
