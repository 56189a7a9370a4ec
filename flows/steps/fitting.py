"""From windows to the files of a bundle: choose a configuration, fit it, set its threshold."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from evaluation.calibration import AlertBudget, Calibrated, calibrate, usual_period
from features.errors import InputError
from features.history import Scorable
from features.rows import Rows
from features.split import Window
from features.vibration.record import units_of
from flows.adapters.local_ray import running_ray
from flows.config.model import microseconds
from flows.config.train import TrainConfig
from flows.outcome import Progress
from flows.steps.choosing import Choice, choose
from flows.steps.packing import beside_model
from serving.baselines import BaselineTable, Stratum, make_baselines
from serving.bundle import make_scorer, make_transform, pack
from serving.manifest import FORMAT, Manifest, PastRows, Strata
from serving.scorer import Scorer, prepare, score_rows
from training.baselines import BaselineRules, fit_baselines
from training.objective import View, fit_detector, split_parameters
from training.scaling import fit_scaling
from training.space import Parameters
from training.strata import calibrate_strata

_USUAL_STEPS = 3  # a history spans up to two missing rows


@dataclass(frozen=True)
class Fitted:
    """The files of a bundle, how they were chosen, and the rows as the chosen transform sees them."""

    files: dict[str, bytes]
    choice: Choice
    view: View


def fit_bundle(
    windows: Mapping[Window, Scorable],
    history: PastRows | None,
    config: TrainConfig,
    *,
    simulated: bool,
    progress: Progress,
    ray: Path,
    run: Path,
) -> Fitted:
    """Choose on the selection window, fit on the reference window, set the threshold on the calibration window.

    Rows known to be anomalous define neither what is normal nor the threshold. ``history``: what the windows' rows were
    built with; ``ray``: Ray's session folder.
    """
    reference, selection = normal(windows[Window.REFERENCE]), windows[Window.SELECTION]
    tables, budget = offered(reference.rows, config), alert_budget(config)
    views = {bool(table): _view(reference, selection, table, history, config) for table in tables}
    choice = choose(views, selection.rows, config, budget, progress=progress, ray=ray, run=run)
    parameters, per_series = split_parameters(choice.parameters)
    view, table = views[per_series], next(table for table in tables if bool(table) == per_series)
    with progress.stage(f"Fitting the {choice.family.replace('_', ' ')}"):
        model = _fit(choice.family, parameters, view, config, ray, run)
    with progress.stage("Calibrating") as stage:
        scorer = make_scorer(view.scaling, model, history, make_baselines(table) if table else None)
        calibrated, strata = _calibrate(scorer, reference.rows, normal(windows[Window.CALIBRATION]), budget, config)
        stage.result(f"threshold {calibrated.threshold:.4g}")
    manifest = Manifest(
        format=FORMAT,
        family=choice.family,
        parameters=dict(parameters),
        features=list(reference.rows.features),
        transform=view.scaling,
        threshold=calibrated.threshold,
        alpha=calibrated.alpha,
        calibration=calibrated.calibration,
        budget=calibrated.budget,
        seed=config.seed,
        simulated=simulated,
        history=history,
        baselines=strata,
        ranges=config.data.ranges,
        units=units_of(reference.rows.features),
    )
    beside = beside_model(model, view.scaling, view.reference, reference.rows, config.seed)
    return Fitted(pack(manifest, model, table, beside), choice, view)


def refit(fitted: Fitted, seed: int) -> bytes:
    """The graph of the same configuration, fitted on the same rows with another seed, in this process."""
    parameters, _ = split_parameters(fitted.choice.parameters)
    view = fitted.view
    return fit_detector(fitted.choice.family, parameters, seed=seed, scaling=view.scaling, reference=view.reference)


def offered(reference: Rows, config: TrainConfig) -> list[BaselineTable | None]:
    """What trials may choose from: baselines of the reference window's normal rows, none, or both.

    Baselines need series that last: time, no cut between series, two independent units, and one mature series. Raises
    InputError where they are asked for and there cannot be any.
    """
    asked, why = config.baselines, ""
    if asked.use == "never":
        return [None]
    if not config.data.series or reference.times is None:
        why = "a table with series and times"
    elif config.split.between_series:
        why = "series that last over the windows (split.between_series is set)"
    elif len(np.unique(reference.independent)) < 2:
        why = "two series or groups"
    if not why:
        table = fit_baselines(reference, baseline_rules(config))
        if (table.stratum == Stratum.MATURE).any():
            return [table] if asked.use == "always" else [table, None]
        why = f"a series with {asked.min_rows} reference rows over {asked.min_hours:g} h"
    if asked.use == "always":
        raise InputError("baselines.use", f"always needs {why}", asked.use)
    return [None]


def baseline_rules(config: TrainConfig) -> BaselineRules:
    """The rules of a configuration."""
    asked = config.baselines
    return BaselineRules(asked.min_rows, asked.min_hours, asked.shrinkage, asked.floor)


def _fit(name: str, parameters: Parameters, view: View, config: TrainConfig, ray: Path, run: Path) -> bytes:
    if not config.fit.distributed or name != "autoencoder":
        return fit_detector(name, parameters, seed=config.seed, scaling=view.scaling, reference=view.reference)
    from training.distributed import fit_distributed  # torch and Ray Train take seconds to import

    values, workers = make_transform(view.scaling).apply(view.reference), config.fit.workers
    with running_ray(ray, cpus=max(2, os.cpu_count() or 1, workers)):
        return fit_distributed(values, parameters, config.seed, workers=workers, storage=run / "fit")


def _view(
    reference: Scorable, selection: Scorable, table: BaselineTable | None, history: PastRows | None, config: TrainConfig
) -> View:
    """Expanded features exist for a sample alone, raw ones for every row."""
    baselines = make_baselines(table) if table else None
    values = prepare(_sample(reference, config.search.max_rows, config.seed), baselines)
    scaling = fit_scaling(values if history else prepare(reference, baselines))
    return View(scaling, values, prepare(selection, baselines))


def _calibrate(
    scorer: Scorer, reference: Rows, calibration: Scorable, budget: AlertBudget, config: TrainConfig
) -> tuple[Calibrated, Strata | None]:
    period_us = usual_period(calibration.rows)
    if scorer.baselines is None:
        return calibrate(score_rows(scorer, calibration), calibration.rows, budget, period_us), None
    return calibrate_strata(scorer, reference, calibration, baseline_rules(config), budget, period_us)


def alert_budget(config: TrainConfig) -> AlertBudget:
    """The budget of a configuration."""
    alerts = config.alerts
    return AlertBudget(
        alerts.onsets_per_series_day, alerts.row_rate, microseconds(alerts.merge), alerts.budget == "rows"
    )


def declared_history(reference: Rows, config: TrainConfig) -> PastRows | None:
    """The history that a configuration asks for; its longest step, unless stated, from the reference window.

    Raises InputError when the table has no time, or no two rows of a series to tell a usual step from.
    """
    asked = config.history
    if not asked.rows:
        return None
    if reference.times is None:
        raise InputError("history.rows", "needs data.timestamp: only time tells the order of rows", asked.rows)
    max_gap_us = microseconds(asked.max_gap) if asked.max_gap else _USUAL_STEPS * usual_period(reference)
    if not max_gap_us:
        raise InputError("history.max_gap", "must be stated: the reference window shows no usual step of a series")
    return PastRows(asked.rows, list(asked.reducers), max_gap_us / 1e6)


def normal(rows: Scorable) -> Scorable:
    """Rows without those known to be anomalous; their past may hold such rows, as it may when they are served."""
    return rows.take(~rows.rows.anomalous)


def _sample(window: Scorable, rows: int, seed: int) -> Scorable:
    if len(window) <= rows:
        return window
    return window.take(np.sort(np.random.default_rng(seed).choice(len(window), rows, replace=False)))
