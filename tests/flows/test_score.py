"""`vigia score`: a table's scores are those of the scorer fed row by row."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from evaluation.calibration import AlertBudget, calibrate
from evaluation.validation.rules import Limits
from evaluation.validation.validate import JudgedBlock, validate
from features.errors import InputError, NotEnoughDataError
from features.history import scorable
from features.rows import Rows
from flows.cli.console import Screen
from flows.cli.main import main
from flows.config.loading import load_config
from flows.config.train import TrainConfig
from flows.outcome import Outcome
from flows.steps.bundles import FoundBundle
from flows.steps.score import for_bundle, score_table
from flows.steps.scoring import BlockScorer
from flows.steps.table import Opened, open_data
from flows.workspace import Workspace
from serving.bundle import Bundle, make_history, make_scorer, open_bundle, pack
from serving.manifest import FORMAT, Manifest, PastRows
from serving.scorer import score, score_rows
from serving.verdict import alerts, p_values
from training.detectors.registry import family
from training.objective import fit_detector
from training.scaling import fit_scaling

MINUTE = 60 * 1_000_000
HISTORY = PastRows(4, ["lags", "mean", "std", "slope"], 900.0)


def bundle_with(history: PastRows | None, kind: str = "isolation_forest") -> Bundle:
    """A detector of three features and its past, fitted on noise around 5, with one alert row in a hundred."""
    values = np.random.default_rng(1).normal(5, 2, (1_000, 3))
    times = np.arange(1_000) * 5 * MINUTE
    rows = Rows(("a", "b", "c"), values, np.zeros(1_000, np.int64), ("s",), times, None)
    ready, detector = scorable(rows, make_history(history)), family(kind)
    scaling = fit_scaling(ready.expanded())
    model = fit_detector(kind, detector.defaults, seed=1, scaling=scaling, reference=ready.expanded())
    scores = score_rows(make_scorer(scaling, model, history), ready)
    found = calibrate(scores, ready.rows, AlertBudget(row_rate=0.05, by_rows=True), 5 * MINUTE)
    manifest = Manifest(
        format=FORMAT,
        family=kind,
        parameters=dict(detector.defaults),
        features=["a", "b", "c"],
        transform=scaling,
        threshold=found.threshold,
        alpha=found.alpha,
        calibration=found.calibration,
        budget=found.budget,
        seed=1,
        simulated=False,
        history=history,
    )
    return open_bundle(pack(manifest, model))


@pytest.fixture(scope="module")
def table() -> pa.Table:
    """Three series with gaps and missing values, in no order, with more columns than any bundle needs."""
    rng, blocks = np.random.default_rng(2), []
    for name, n in (("s1", 150), ("s0", 200), ("short", 3)):
        minutes = np.cumsum(rng.choice([5] * 20 + [10, 15, 16, 60], n))
        values = rng.normal(5, 2.5, (n, 3))
        values[n // 2] = [40, -40, 40]
        blocks.append({"series": [name] * n, "t": minutes * MINUTE, **dict(zip("cba", values.T, strict=True))})
    columns = {key: np.concatenate([block[key] for block in blocks]) for key in blocks[0]}
    columns["b"][[20, 200]] = np.nan
    order = rng.permutation(353)
    made = {key: pa.array(column[order]) for key, column in columns.items() if key != "t"}
    return pa.table(made | {"time": pa.array(columns["t"][order]).cast(pa.timestamp("us")), "noise": order})


def run(
    folder: Path, table: pa.Table, bundle: Bundle, *settings: str, out: Path | None = None, explained: bool = False
) -> Outcome:
    folder.mkdir(exist_ok=True)
    pq.write_table(table, folder / "table.parquet")
    roles = ("data.timestamp=time", "validation.min_rows=1", f"data.uri={folder / 'table.parquet'}")
    config = load_config(TrainConfig, None, [*roles, *settings])
    found = FoundBundle(bundle, {}, "test", None)
    return score_table(config, found, out, Workspace(folder), Screen(quiet=True), explained=explained)


def judged(opened: Opened, rows: int) -> list[JudgedBlock]:
    """The blocks of a table, judged, of that many rows."""
    found: list[JudgedBlock] = []
    source, small = opened.source, Limits(min_rows=1, allow_constant=True)
    validate(
        lambda columns: (part for batch in source.blocks(columns) for part in pieces(batch, rows)),
        source.schema.names,
        opened.schema,
        small,
        uri="",
        simulated=False,
        on_block=found.append,
        block_rows=rows,
    )
    return found


def pieces(batch: pa.RecordBatch, rows: int) -> Iterator[pa.RecordBatch]:
    for start in range(0, batch.num_rows, rows):
        yield batch.slice(start, rows)


def row_by_row(table: pa.Table, bundle: Bundle, depth: int, max_gap_us: int) -> list[dict[str, Any]]:
    """The service's way: remember the last rows of each series, forget them after a gap, ask about one at a time."""
    past: dict[str, list[list[float]]] = {}
    last: dict[str, int] = {}
    found = []
    keyed = {"series": table["series"].to_pylist(), "at": table["time"].cast(pa.int64()).to_pylist()}
    values = zip(*(table[name].to_pylist() for name in "abc"), strict=True)
    lines = sorted(zip(keyed["series"], keyed["at"], map(list, values), strict=True), key=lambda line: line[:2])
    for series, at, row in lines:
        if not np.isfinite(row).all():
            continue
        if at - last.get(series, at) > max_gap_us:
            past[series] = []
        known = past.setdefault(series, [])
        line: dict[str, Any] = {"series": series, "at": at, "complete": len(known) >= depth, "score": None}
        if line["complete"]:
            before = np.array([known[-depth:]]) if depth else None
            line["score"] = float(score(bundle.scorer, np.array([row]), before)[0])
        known.append(row)
        last[series] = at
        found.append(line)
    return found


@pytest.mark.parametrize(
    ("history", "kind"), [(None, "isolation_forest"), (HISTORY, "isolation_forest"), (HISTORY, "autoencoder")]
)
def test_scores_equal_those_of_the_scorer_fed_row_by_row(
    tmp_path: Path, table: pa.Table, history: PastRows | None, kind: str
) -> None:
    bundle = bundle_with(history, kind)
    done = run(tmp_path, table, bundle)
    found = pq.read_table(done.paths["scores"])
    assert found["row"].to_pylist() == sorted(found["row"].to_pylist())
    found = found.sort_by([("series", "ascending"), ("timestamp", "ascending")])
    expected = row_by_row(table, bundle, history.rows if history else 0, 15 * MINUTE)
    assert found["series"].to_pylist() == [line["series"] for line in expected]
    assert found["timestamp"].cast(pa.int64()).to_pylist() == [line["at"] for line in expected]
    assert found["complete"].to_pylist() == [line["complete"] for line in expected]
    assert found["score"].to_pylist() == [line["score"] for line in expected]  # to the bit
    assert found["score"].type == pa.float32()
    assert found["score"].null_count == (0 if history is None else sum(not line["complete"] for line in expected))
    assert 0.4 * len(expected) < len(found["score"].drop_null())


def test_a_scored_row_has_the_verdict_of_the_service_and_any_other_has_none(tmp_path: Path, table: pa.Table) -> None:
    bundle = bundle_with(HISTORY)
    done = run(tmp_path, table, bundle)
    found = pq.read_table(done.paths["scores"])
    scored = found.filter(found["complete"])
    scores = scored["score"].to_numpy()
    assert scored["alert"].to_pylist() == alerts(bundle.manifest.threshold, scores).tolist()
    assert scored["p_value"].to_pylist() == p_values(bundle.manifest.calibration, scores).tolist()
    for name in ("p_value", "alert", "onset"):
        assert found[name].is_null().to_pylist() == found["score"].is_null().to_pylist()
    assert found.schema.metadata == {b"digest": bundle.digest.encode(), b"simulated": b"False"}
    assert done.digest == bundle.digest
    counts = {name: done.figures[name] for name in ("rows", "scored", "without_history", "quarantined")}
    assert counts == {"rows": 351, "scored": len(scored), "without_history": 351 - len(scored), "quarantined": 2}
    assert any("gap:time" in flags for flags in found["flags"].to_pylist())
    assert pq.read_table(done.paths["quarantine"]).num_rows == 2
    assert done.figures["alert_rows"] == sum(scored["alert"].to_pylist()) > 0
    assert done.figures["onsets"] == sum(scored["onset"].to_pylist()) > 0


def test_an_onset_is_an_alert_row_with_none_of_its_series_within_the_merge_before_it(
    tmp_path: Path, table: pa.Table
) -> None:
    found = pq.read_table(run(tmp_path, table, bundle_with(None)).paths["scores"])
    found = found.sort_by([("series", "ascending"), ("timestamp", "ascending")])
    last: dict[str, int] = {}
    for series, at, alert, onset in zip(
        *(found[name].to_pylist() for name in ("series",)),
        found["timestamp"].cast(pa.int64()).to_pylist(),
        found["alert"].to_pylist(),
        found["onset"].to_pylist(),
        strict=True,
    ):
        assert onset == (alert and (series not in last or at - last[series] >= 60 * MINUTE))
        if alert:
            last[series] = at


def test_a_table_without_series_and_time_is_scored_in_its_order(tmp_path: Path, table: pa.Table) -> None:
    whole, bundle = table.filter(pa.array(np.isfinite(table["b"].to_numpy()))), bundle_with(None)
    settings = ("data.series=null", "data.timestamp=null")
    found = pq.read_table(run(tmp_path, whole, bundle, *settings).paths["scores"])
    assert found.column_names == ["row", "flags", "complete", "score", "p_value", "alert", "severity"]
    assert found["row"].to_pylist() == list(range(len(whole)))
    values = np.column_stack([whole[name].to_numpy() for name in "abc"])
    assert found["score"].to_pylist() == score(bundle.scorer, values).tolist()
    with pytest.raises(InputError, match=r"data\.timestamp: must name the column of times"):
        run(tmp_path, whole, bundle_with(HISTORY), *settings)


def test_alerts_are_told_beside_what_is_budgeted_in_its_unit(tmp_path: Path, table: pa.Table) -> None:
    by_rows = bundle_with(None)
    told = dict(run(tmp_path, table, by_rows).lines)["Alerts"]
    assert "% of the scored rows where 5.0% are budgeted; " in told
    onsets = by_rows.manifest.budget
    by_onsets = msgspec.structs.replace(onsets, kind="onsets_per_series_day", limit=0.1)
    manifest = msgspec.structs.replace(by_rows.manifest, budget=by_onsets)
    told = dict(run(tmp_path, table, replace(by_rows, manifest=manifest)).lines)["Alerts"]
    assert told.endswith(" a series where 0.1 are budgeted)")
    assert "rows where" not in told


def test_severity_is_the_score_by_the_threshold_and_alerts_have_reasons_when_asked_for(
    tmp_path: Path, table: pa.Table
) -> None:
    bundle = bundle_with(None)
    found = pq.read_table(run(tmp_path, table, bundle, explained=True).paths["scores"])
    assert found["severity"].to_numpy() == pytest.approx(found["score"].to_numpy() / bundle.manifest.threshold)
    for alert, reasons in zip(found["alert"].to_pylist(), found["reasons"].to_pylist(), strict=True):
        assert (reasons is not None) == alert
    values = {name: table[name].to_numpy()[found["row"].to_numpy()] for name in "abc"}
    wild = int(np.argmax(np.abs(values["a"] - 5)))
    first = found["reasons"][wild].as_py()
    assert {reason["feature"] for reason in first} == {"a", "b", "c"}
    for reason in first:
        name = reason["feature"]
        centre = bundle.scorer.transform.centre["abc".index(name)]
        assert reason["direction"] == ("above" if values[name][wild] > centre else "below")
    assert "reasons" not in pq.read_table(run(tmp_path, table, bundle).paths["scores"]).column_names


@pytest.mark.parametrize("history", [None, HISTORY])
def test_scores_do_not_depend_on_how_the_table_is_cut(
    tmp_path: Path, table: pa.Table, history: PastRows | None
) -> None:
    """Blocks of 40 rows of series that take turns, in order of time, against one block."""
    bundle, ordered = bundle_with(history), table.sort_by("time")
    pq.write_table(ordered, tmp_path / "table.parquet")
    roles = ("data.timestamp=time", "data.label=null", f"data.uri={tmp_path / 'table.parquet'}")
    opened = open_data(for_bundle(load_config(TrainConfig, None, roles), bundle.manifest).data, tmp_path)
    found = []
    for rows in (400, 40):
        scorer = BlockScorer(bundle, opened.schema, explained=False)
        found.append([scorer.score(block) for block in judged(opened, rows)])
    assert [len(parts) for parts in found] == [1, 9]
    assert pa.concat_tables(found[0]).equals(pa.concat_tables(found[1]))


def test_with_a_history_a_table_out_of_order_beyond_a_block_is_refused(tmp_path: Path, table: pa.Table) -> None:
    pq.write_table(table.sort_by([("time", "descending")]), tmp_path / "table.parquet")
    bundle = bundle_with(HISTORY)
    roles = ("data.timestamp=time", "data.label=null", f"data.uri={tmp_path / 'table.parquet'}")
    opened = open_data(for_bundle(load_config(TrainConfig, None, roles), bundle.manifest).data, tmp_path)
    scorer, blocks = BlockScorer(bundle, opened.schema, explained=False), judged(opened, 40)
    with pytest.raises(
        InputError, match=r"data\.timestamp of series '.*': rows of a series must come in order of time"
    ):
        list(map(scorer.score, blocks))


def test_a_refused_table_leaves_no_file(tmp_path: Path, table: pa.Table) -> None:
    with pytest.raises(InputError, match="fails validation"):
        run(tmp_path, table, bundle_with(None), "validation.min_rows=10000", out=tmp_path / "out" / "scores.parquet")
    assert list((tmp_path / "out").iterdir()) == []


def test_scores_are_never_written_over_the_table_nor_among_its_files(tmp_path: Path, table: pa.Table) -> None:
    own = tmp_path / "table.parquet"
    for uri, out in ((own, own), (tmp_path, tmp_path / "scores.parquet")):
        with pytest.raises(InputError, match="--out: must not be a file of the table that is scored"):
            run(tmp_path, table, bundle_with(None), f"data.uri={uri}", out=out)
    assert pq.read_table(own).to_pandas().equals(table.to_pandas())
    assert not (tmp_path / "scores.parquet").exists()


def test_a_missing_feature_is_named(tmp_path: Path, table: pa.Table) -> None:
    with pytest.raises(
        InputError, match=r"data\.features: must name a column of the table.*is this the right table\?.*got 'b'"
    ):
        run(tmp_path, table.drop_columns("b"), bundle_with(None))


def test_a_table_too_short_for_any_history_is_refused(tmp_path: Path, table: pa.Table) -> None:
    with pytest.raises(
        NotEnoughDataError, match=r"history: some row must come after 4 rows of its series, at most 900 s"
    ):
        run(
            tmp_path,
            table.filter(pa.array([name == "short" for name in table["series"].to_pylist()])),
            bundle_with(HISTORY),
        )


def test_the_file_is_replaced_in_one_step(tmp_path: Path, table: pa.Table) -> None:
    out = tmp_path / "deep" / "scores.parquet"
    for _ in range(2):
        assert run(tmp_path, table, bundle_with(None), out=out).paths["scores"] == str(out)
    assert [file.name for file in out.parent.iterdir()] == ["scores.parquet"]
    with pytest.raises(InputError, match=r"--out: cannot be written"):
        run(tmp_path, table, bundle_with(None), out=out / "below.parquet")


def test_train_with_history_then_score_from_the_command_line(tmp_path: Path) -> None:
    workspace = ["--quiet", "--workspace", str(tmp_path / "workspace")]
    settings = ["history.rows=6", "data.uri=fleet://?sensors=3&days=4&seed=1", "search.min_labels=1000000"]
    options = [part for setting in settings for part in ("--set", setting)]
    assert main(["train", *workspace, *options]) == 0
    out, summary = tmp_path / "scores.parquet", tmp_path / "summary.json"
    scoring = ["score", "fleet://?sensors=2&days=1&seed=2", *workspace, "--summary", str(summary), "--out", str(out)]
    assert main(scoring) == 0
    written = json.loads(summary.read_text())
    assert written["paths"]["scores"] == str(out)
    assert written["version"] == "1"
    assert written["figures"]["simulated"] is True
    assert written["figures"]["without_history"] == 6 * 6
    by_folder = tmp_path / "again.parquet"
    bundle = tmp_path / "workspace" / "bundles" / "sha256" / written["digest"]
    assert main([*scoring, "--bundle", str(bundle), "--out", str(by_folder)]) == 0
    assert by_folder.read_bytes() == out.read_bytes()
    assert main([*scoring, "--alias", "nobody"]) == 2
