"""From windows to the files of a bundle: choose a configuration, fit it, set its threshold."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from evaluation.calibration import AlertBudget, Calibrated, calibrate, usual_period
from features.errors import InputError
from features.history import Scorable
from features.rows import Rows
from features.split import Window
from flows.config.model import microseconds
from flows.config.train import TrainConfig
from flows.outcome import Progress
from flows.steps.choosing import Choice, choose
from serving.bundle import FORMAT, Manifest, PastRows, make_scorer, pack
from serving.scorer import score_rows
from training.objective import fit_detector
from training.scaling import fit_scaling

_USUAL_STEPS = 3  # a history spans up to two missing rows


@dataclass(frozen=True)
class Fitted:
    """The files of a bundle and where they come from."""

    files: dict[str, bytes]
    choice: Choice
    calibrated: Calibrated


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
    reference = normal(windows[Window.REFERENCE])
    values = _sample(reference, config.search.max_rows, config.seed).expanded()
    # Expanded features exist for the sample alone, raw ones for every row.
    scaling = fit_scaling(reference.rows.values if history is None else values)
    selection, budget = windows[Window.SELECTION], alert_budget(config)
    choice = choose(
        selection.expanded(), selection.rows, scaling, values, config, budget, progress=progress, ray=ray, run=run
    )
    with progress.stage(f"Fitting the {choice.family.replace('_', ' ')}"):
        model = fit_detector(choice.family, choice.parameters, seed=config.seed, scaling=scaling, reference=values)
    with progress.stage("Calibrating") as stage:
        calibration = normal(windows[Window.CALIBRATION])
        scores = score_rows(make_scorer(scaling, model, history), calibration)
        calibrated = calibrate(scores, calibration.rows, budget, usual_period(calibration.rows))
        stage.result(f"threshold {calibrated.threshold:.4g}")
    manifest = Manifest(
        format=FORMAT,
        family=choice.family,
        parameters=dict(choice.parameters),
        features=list(reference.rows.features),
        transform=scaling,
        threshold=calibrated.threshold,
        alpha=calibrated.alpha,
        calibration=calibrated.calibration,
        budget=calibrated.budget,
        seed=config.seed,
        simulated=simulated,
        history=history,
    )
    return Fitted(pack(manifest, model), choice, calibrated)


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
