"""`vigia score`: a table in, a score, a p-value and an alert for each of its valid rows out, as Parquet."""

import os
import secrets
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from evaluation.calibration import onsets, usual_period
from evaluation.measures import Measures, measure
from features.errors import InputError, NotEnoughDataError
from features.history import Scorable, scorable
from features.rows import Rows
from flows.config.train import TrainConfig
from flows.outcome import Outcome, Progress
from flows.steps.table import CheckedTable, read_checked
from flows.workspace import Workspace
from serving.baselines import Stratum, locate
from serving.bundle import Bundle, Manifest
from serving.scorer import score_rows
from serving.verdict import Verdicts, judge


def score_table(
    config: TrainConfig, bundle: Bundle, named: str, out: Path | None, workspace: Workspace, progress: Progress
) -> Outcome:
    """Score the configured table with a bundle and write ``out`` (default: scores.parquet in the run's folder).

    ``named``: what people call the bundle. The bundle decides the features, by name; labels are not looked at. Raises
    InputError for a table that lacks a feature or fails validation, or where no row has a complete history.
    """
    folder, manifest = workspace.new_run("score"), bundle.manifest
    with progress.stage("Reading and validating") as stage:
        table = read_checked(for_bundle(config, manifest), folder, workspace.cache)
        stage.result(f"{len(table.rows):,} rows, {table.validation.quarantined:,} quarantined")
    with progress.stage("Scoring") as stage:
        ready = scorable(table.rows, bundle.scorer.history)
        ready = ready.take(ready.rows.running)
        if not len(ready):
            rule = f"some row must come after {_past(manifest)}"
            raise NotEnoughDataError("history", rule, f"{len(table.rows)} rows, and none that does")
        at = None if bundle.scorer.baselines is None else locate(bundle.scorer.baselines, ready.rows)
        scores = score_rows(bundle.scorer, ready, at)
        found = judge(bundle.judge, scores, bundle.strata(at))
        stage.result(f"{len(ready):,} rows")
    merge_us = round(manifest.budget.merge_s * 1e6)
    measures = measure(scores, found.alerts, ready.rows, merge_us, usual_period(table.rows))
    out = (out or folder / "scores.parquet").absolute()
    verdicts = score_columns(bundle, table.rows, ready, scores, found, config)
    figures = _figures(bundle, table, measures, verdicts)
    _write(verdicts.replace_schema_metadata({"digest": bundle.digest, "simulated": str(table.simulated)}), out)
    paths = {"scores": str(out)} | ({"quarantine": str(table.quarantine)} if table.quarantine else {})
    model = f"{named}, bundle sha256:{bundle.digest[:12]}" + (", trained on a SIMULATED fleet" * manifest.simulated)
    lines = _lines(figures, measures, len(table.rows.series_names), model)
    return Outcome(lines=lines, digest=bundle.digest, figures=figures, paths=paths)


def score_columns(
    bundle: Bundle, rows: Rows, ready: Scorable, scores: NDArray[np.float32], found: Verdicts, config: TrainConfig
) -> pa.Table:
    """One row for each of ``rows``, in canonical order; ``scores`` are those of ``ready``, the rest has nulls.

    row (its place in the table, from 0), series and timestamp where the table has them, flags (the plausibility
    rules that the row breaks), complete (the history is there and the machine runs), score, p_value, alert, baseline
    (mature, young or unseen, from a bundle with baselines), and onset: the first alert row of a run, with time.
    """
    manifest = bundle.manifest
    missing = np.ones(len(rows), bool)
    missing[ready.at] = False

    def spread(values: NDArray[Any]) -> pa.Array:
        whole = np.zeros(len(rows), values.dtype)
        whole[ready.at] = values
        return pa.array(whole, mask=missing)

    columns: dict[str, pa.Array] = {}
    if rows.positions is not None:
        columns["row"] = pa.array(rows.positions)
    if config.data.series:
        columns["series"] = pa.array(rows.series_names, pa.string()).take(pa.array(rows.series))
    if rows.times is not None:
        columns["timestamp"] = pa.array(rows.times).cast(pa.timestamp("us", tz="UTC"))
    if rows.flags is not None:
        columns["flags"] = pa.array(rows.flags.tolist(), pa.list_(pa.string()))
    columns |= {"complete": pa.array(~missing), "score": spread(scores)}
    columns |= {"p_value": spread(found.p_values), "alert": spread(found.alerts)}
    if bundle.scorer.baselines is not None:
        named = pa.array([stratum.name.lower() for stratum in Stratum])
        columns["baseline"] = named.take(spread(found.strata))
    if rows.times is not None:
        columns["onset"] = spread(onsets(found.alerts, ready.rows, round(manifest.budget.merge_s * 1e6)))
    return pa.table(columns)


def for_bundle(config: TrainConfig, manifest: Manifest, label: str | None = None) -> TrainConfig:
    """The configuration with the bundle's features; raises InputError where a score needs times and none are named."""
    if manifest.history and not config.data.timestamp:
        raise InputError("data.timestamp", f"must name the column of times: a score needs {_past(manifest)}", None)
    update = {"features": list(manifest.features), "label": label, "group": None, "kind": None}
    data = config.data.model_copy(update=update)
    return config.model_copy(update={"data": data})


def _past(manifest: Manifest) -> str:
    if manifest.history is None:
        return "no past rows"
    return f"{manifest.history.rows} rows of its series, at most {manifest.history.max_gap_s:g} s apart"


def _figures(bundle: Bundle, table: CheckedTable, measures: Measures, verdicts: pa.Table) -> dict[str, Any]:
    return {
        "simulated": table.simulated,
        "trained_on_simulated": bundle.manifest.simulated,
        "rows": len(table.rows),
        "scored": measures.rows,
        "without_history": len(table.rows) - measures.rows,
        "quarantined": table.validation.quarantined,
        "alert_rows": _count(verdicts["alert"]),
        "onsets": _count(verdicts["onset"]) if "onset" in verdicts.column_names else None,
        **{name: asdict(measures)[name] for name in ("alert_rate", "onsets_per_series_day", "onsets_per_day")},
    }


def _lines(figures: dict[str, Any], measures: Measures, series: int, model: str) -> tuple[tuple[str, str], ...]:
    origin = "SIMULATED fleet, no machine produced these rows: " if figures["simulated"] else ""
    found = f"{figures['alert_rows']:,} alert rows, {measures.alert_rate:.2%} of the scored rows"
    if measures.onsets_per_day is not None:
        per_series = f"{measures.onsets_per_series_day:.2f} a series"
        found += f"; {figures['onsets']:,} onsets, {measures.onsets_per_day:.1f} a day ({per_series})"
    silent = f"{figures['without_history']:,} at rest or without complete history"
    unscored = f"{figures['quarantined']:,} rows quarantined, {silent}"
    scored = f"{origin}{figures['scored']:,} rows of {series:,} series"
    return ("Scored", scored), ("Not scored", unscored), ("Model", model), ("Alerts", found)


def _count(column: pa.ChunkedArray) -> int:
    return int(pc.sum(column).as_py() or 0)


def _write(table: pa.Table, file: Path) -> None:
    """Replace a Parquet file in one step."""
    staging = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(table, staging)
        os.replace(staging, file)
    except OSError as error:
        with suppress(OSError):
            staging.unlink()
        raise InputError("--out", f"cannot be written ({error.strerror or error})", str(file)) from error
