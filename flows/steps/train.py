"""`vigia train`: data -> validated rows -> search -> bundle -> registered challenger, with a drift report."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray

from evaluation.calibration import usual_period
from evaluation.drift.report import Drift, report_drift
from evaluation.episodes import LostRows
from evaluation.measures import Measures, drivers, measure
from features.errors import NotEnoughDataError
from features.history import Scorable, scorable
from features.rows import Rows
from features.split import Split, Window, assign
from features.storage import publish_folder, write_text
from flows.adapters.registry import Registry
from flows.config.loading import load_config
from flows.config.model import microseconds
from flows.config.train import TrainConfig
from flows.outcome import Outcome, Progress
from flows.runs import CONFIG, finish, holding, settle, unfinished
from flows.steps.findings import Findings, LeftOut, figures, logged, screen
from flows.steps.fitting import alert_budget, declared_history, fit_bundle
from flows.steps.table import read_checked
from flows.workspace import Workspace
from serving.baselines import locate
from serving.bundle import Bundle, make_history, open_bundle
from serving.scorer import prepare, score_rows
from serving.verdict import judge

CHALLENGER = "challenger"
_EXPLAINED_ROWS = 500


def train(config: TrainConfig, workspace: Workspace, progress: Progress, ray: Path) -> Outcome:
    """Run the whole job. The challenger alias moves last: an interrupted run leaves nothing half done.

    ``ray``: private folder for Ray's session. Raises the errors of features.errors; what a run wrote stays there, for
    ``resume``.
    """
    folder = workspace.new_run("train")
    with holding(folder):
        write_text(folder / CONFIG, yaml.safe_dump(config.model_dump(mode="json"), sort_keys=False))
        return _train(config, folder, workspace, progress, ray)


def resume(asked: str, workspace: Workspace, progress: Progress, ray: Path) -> Outcome:
    """Finish the unfinished run of that name ("latest": the last one), with its own configuration.

    Trials that have ended are not run again. Raises InputError where there is no such run, or its table has changed.
    """
    folder = unfinished(workspace.root / "runs", asked)
    with holding(folder):
        progress.say(f"Resuming run {folder.name}")
        return _train(load_config(TrainConfig, folder / CONFIG), folder, workspace, progress, ray)


def _train(config: TrainConfig, folder: Path, workspace: Workspace, progress: Progress, ray: Path) -> Outcome:
    settings = config.model_dump(mode="json")
    with progress.stage("Reading and validating") as stage:
        table = read_checked(config, folder, workspace.cache)
        stage.result(f"{len(table.rows):,} rows, {table.validation.quarantined:,} quarantined")
    settle(folder, table.rows)
    assigned = assign(table.rows, _split(config))
    history = declared_history(table.rows.take(assigned == Window.REFERENCE), config)
    complete = scorable(table.rows, make_history(history))
    known = complete.take(complete.rows.running)
    windows = _windows(known, assigned[known.at])
    left_out = LeftOut(len(table.rows) - len(complete), len(complete) - len(known))
    with progress.stage("Opening the registry"):
        registry = Registry(workspace.registry_uri, workspace.artifacts)
    with registry.run(config.model, folder.name, _flat(settings)) as run_id:
        fitted = fit_bundle(windows, history, config, simulated=table.simulated, progress=progress, ray=ray, run=folder)
        bundle = open_bundle(fitted.files)
        with progress.stage("Judging and reporting drift"):
            measures, shares = _judge(bundle, windows[Window.TEST], table.lost, config)
            drift = _drift(windows, config, table.simulated, folder / "drift.html")
        found = Findings(table, windows, fitted.choice, bundle.manifest, left_out, measures, shares, drift)
        with progress.stage("Publishing and registering") as stage:
            write_text(folder / "figures.json", json.dumps(figures(found), indent=2))
            registry.log_trials(run_id, fitted.choice.trials)
            pages = [folder / name for name in (CONFIG, "figures.json", "validation.html", "drift.html")]
            registry.log(run_id, logged(found), pages)
            target = workspace.bundles / bundle.digest
            publish_folder(fitted.files, target)
            version = registry.register(config.model, target.as_uri(), bundle.digest, run_id)
            registry.set_alias(config.model, CHALLENGER, version.version)
            stage.result(f"version {version.version}")
    finish(folder)
    paths = {"run": folder, "bundle": target, "validation": table.page, "drift": folder / "drift.html"}
    if table.quarantine:
        paths["quarantine"] = table.quarantine
    heading = ("Model", f"{version.name} version {version.version} ({CHALLENGER}), bundle sha256:{bundle.digest[:12]}")
    return Outcome(
        lines=(heading, *screen(found)),
        next_command=f"promote --env local --model {config.model}",
        digest=bundle.digest,
        version=version.version,
        run_id=run_id,
        figures=figures(found),
        paths={name: str(path) for name, path in paths.items()},
    )


def _split(config: TrainConfig) -> Split:
    split = config.split
    shares = (split.reference, split.selection, split.calibration, split.test)
    return Split(shares, microseconds(split.gap), split.between_series, config.seed)


def _windows(known: Scorable, assigned: NDArray[np.int8]) -> dict[Window, Scorable]:
    windows: dict[Window, Scorable] = {
        window: known.take(assigned == window) for window in Window if window != Window.DROPPED
    }
    for window, found in windows.items():
        if not len(found):
            rule = "needs a row of a running machine with complete history"
            raise NotEnoughDataError(f"window {window.name.lower()!r}", rule, 0)
    return windows


def _judge(bundle: Bundle, test: Scorable, lost: LostRows, config: TrainConfig) -> tuple[Measures, Mapping[str, float]]:
    at = None if bundle.scorer.baselines is None else locate(bundle.scorer.baselines, test.rows)
    scores = score_rows(bundle.scorer, test, at)
    flagged = judge(bundle.judge, scores, bundle.strata(at)).alerts
    inside = lost.take(_in_test(lost, test.rows, config))
    merge_us, period = alert_budget(config).merge_us, usual_period(test.rows)
    measures = measure(scores, flagged, test.rows, merge_us, period, inside)
    highest = (-scores[flagged]).argsort(kind="stable")[:_EXPLAINED_ROWS]
    explained = test.take(np.sort(np.flatnonzero(flagged)[highest]))
    return measures, drivers(bundle.scorer, prepare(explained, bundle.scorer.baselines), test.rows.features)


def _in_test(lost: LostRows, test: Rows, config: TrainConfig) -> NDArray[np.bool_]:
    """(m,) True where a quarantined row belongs to the test window, by its series or by its time."""
    if config.split.between_series:
        names = {test.series_names[code] for code in np.unique(test.series)}
        return np.array([name in names for name in lost.series], bool)
    return np.zeros(0, bool) if test.times is None else np.asarray(lost.times >= test.times.min())


def _drift(windows: Mapping[Window, Scorable], config: TrainConfig, simulated: bool, page: Path) -> Drift:
    reference, current = windows[Window.REFERENCE].rows, windows[Window.TEST].rows
    return report_drift(
        reference.values,
        current.values,
        reference.features,
        max_rows=config.drift.max_rows,
        seed=config.seed,
        page=page,
        title=f"{config.model}: test window against reference window of {config.data.uri}"
        + (" (SIMULATED: no machine produced these rows)" if simulated else ""),
    )


def _flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in values.items():
        flat |= _flat(value, f"{prefix}{key}.") if isinstance(value, dict) else {f"{prefix}{key}": value}
    return flat
