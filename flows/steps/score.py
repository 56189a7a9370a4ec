"""`vigia score`: a table in, a score, a p-value and an alert for each of its valid rows out, as Parquet.

Blocks of rows are judged, scored and written one after the other. Of the table as a whole there are only keys, some 140
bytes a row with those of validation, whatever its width.
"""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evaluation.calibration import onsets, usual_period
from evaluation.measures import Measures, measure
from evaluation.validation.validate import JudgedBlock
from features.errors import InputError, NotEnoughDataError
from features.rows import Rows
from features.storage import holds
from flows.config.train import TrainConfig
from flows.outcome import Outcome, Progress
from flows.steps.bundles import FoundBundle, missing_roles
from flows.steps.scorefile import ScoreFile
from flows.steps.scoring import BlockScorer, Keys
from flows.steps.table import JudgedTable, judge_table, open_for_bundle, refuse_failures
from flows.workspace import Workspace
from serving.manifest import Manifest


@dataclass(frozen=True)
class _Told:
    """The measures of the scored rows, and (n,) the first alert row of each run among all rows, None without time."""

    measures: Measures
    onset: NDArray[np.bool_] | None


def score_table(
    config: TrainConfig,
    found: FoundBundle,
    out: Path | None,
    workspace: Workspace,
    progress: Progress,
    *,
    explained: bool = False,
) -> Outcome:
    """Score the configured table with a bundle and write ``out`` (default: scores.parquet in the run's folder).

    The bundle decides the features, by name; labels are not looked at. The columns are those of ``BlockScorer.score``
    and, with time, onset: the first alert row of a run. Raises InputError for a table that lacks a feature or fails
    validation, or where no row has a complete history.
    """
    folder, bundle = workspace.new_run("score"), found.bundle
    config = for_bundle(config, bundle.manifest)
    opened = open_for_bundle(config.data, workspace.cache)
    if out is not None and holds(config.data.uri, out):
        raise InputError("--out", "must not be a file of the table that is scored", str(out))
    out = (out or folder / "scores.parquet").absolute()
    scorer = BlockScorer(bundle, opened.schema, explained)
    metadata = {"digest": bundle.digest, "simulated": str(opened.source.simulated)}
    with ScoreFile(out, metadata) as file, progress.stage("Validating and scoring") as stage:

        def on_block(block: JudgedBlock) -> None:
            file.add(scorer.score(block))
            stage.update(f"{sum(len(keys.complete) for keys in scorer.keys):,} rows")

        judged = judge_table(opened, config, folder, on_block)
        refuse_failures(judged.validation, judged.page)
        keys = _join(scorer.keys)
        if not keys.complete.any():
            rule = f"some row must come after {_past(bundle.manifest)}"
            raise NotEnoughDataError("history", rule, f"{len(keys.complete)} rows, and none that does")
        told = _measure(keys, tuple(map(str, scorer.names)), bundle.manifest)
        file.finish(told.onset, keys.complete)
        stage.result(f"{keys.complete.sum():,} rows")
    figures = _figures(found, judged, keys, told)
    paths = {"scores": str(out)} | ({"quarantine": str(judged.quarantine)} if judged.quarantine else {})
    version = found.version
    return Outcome(
        lines=(*_lines(figures, told.measures, len(scorer.names), found), *_unseen(found, config)),
        digest=bundle.digest,
        version="" if version is None else version.version,
        run_id="" if version is None else version.run_id,
        figures=figures,
        paths=paths,
    )


def _join(parts: list[Keys]) -> Keys:
    """The keys of all blocks. Raises NotEnoughDataError without any."""
    if not parts:
        raise NotEnoughDataError("data.uri", "must hold rows", 0)
    times = [part.times for part in parts if part.times is not None]
    return Keys(
        np.concatenate([part.series for part in parts]),
        np.concatenate(times) if times else None,
        *(np.concatenate([getattr(part, name) for part in parts]) for name in ("complete", "alerts", "scores")),
    )


def _measure(keys: Keys, names: tuple[str, ...], manifest: Manifest) -> _Told:
    order = np.arange(len(keys.series)) if keys.times is None else np.lexsort((keys.times, keys.series))
    times = None if keys.times is None else keys.times[order]
    rows = Rows((), np.empty((len(order), 0)), keys.series[order].astype(np.int64), names, times, None)
    complete, merge_us = keys.complete[order], round(manifest.budget.merge_s * 1e6)
    scored, flagged = rows.take(complete), keys.alerts[order][complete]
    measures = measure(keys.scores[order][complete], flagged, scored, merge_us, usual_period(rows))
    if times is None:
        return _Told(measures, None)
    onset = np.zeros(len(order), bool)
    onset[order[complete]] = onsets(flagged, scored, merge_us)
    return _Told(measures, onset)


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


def _figures(found: FoundBundle, judged: JudgedTable, keys: Keys, told: _Told) -> dict[str, Any]:
    measures = told.measures
    return {
        "simulated": judged.validation.simulated,
        "trained_on_simulated": found.bundle.manifest.simulated,
        "rows": len(keys.complete),
        "scored": measures.rows,
        "without_history": len(keys.complete) - measures.rows,
        "quarantined": judged.validation.quarantined,
        "alert_rows": int((keys.alerts & keys.complete).sum()),
        "onsets": None if told.onset is None else int(told.onset.sum()),
        **{name: asdict(measures)[name] for name in ("alert_rate", "onsets_per_series_day", "onsets_per_day")},
    }


def _unseen(found: FoundBundle, config: TrainConfig) -> tuple[tuple[str, str], ...]:
    missing = missing_roles(found.bundle, config.data)
    if not missing:
        return ()
    text = f"every row counts as one of an unseen series: the bundle's are by {' and '.join(missing)}, which is not set"
    return (("Baselines", text),)


def _lines(figures: dict[str, Any], measures: Measures, series: int, found: FoundBundle) -> tuple[tuple[str, str], ...]:
    origin = "SIMULATED fleet, no machine produced these rows: " if figures["simulated"] else ""
    trained = ", trained on a SIMULATED fleet" * found.bundle.manifest.simulated
    model = f"{found.named}, bundle sha256:{found.bundle.digest[:12]}{trained}"
    budget = found.bundle.manifest.budget
    alerts = f"{figures['alert_rows']:,} alert rows, {measures.alert_rate:.2%} of the scored rows"
    alerts += f" where {budget.limit:.1%} are budgeted" * (budget.kind == "row_rate")
    if measures.onsets_per_day is not None:
        per_series = f"{measures.onsets_per_series_day:.2f} a series"
        per_series += f" where {budget.limit:g} are budgeted" * (budget.kind != "row_rate")
        alerts += f"; {figures['onsets']:,} onsets, {measures.onsets_per_day:.1f} a day ({per_series})"
    silent = f"{figures['without_history']:,} at rest or without complete history"
    unscored = f"{figures['quarantined']:,} rows quarantined, {silent}"
    scored = f"{origin}{figures['scored']:,} rows of {series:,} series"
    return ("Scored", scored), ("Not scored", unscored), ("Model", model), ("Alerts", alerts)
