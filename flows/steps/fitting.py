"""From windows to the files of a bundle: choose a configuration, fit it, set its threshold."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from evaluation.calibration import AlertBudget, Calibrated, calibrate, usual_period
from features.errors import InputError
from features.history import Scorable
from features.rows import Rows
from features.split import Window
from flows.adapters.local_ray import running_ray
from flows.config.model import microseconds
from flows.config.train import TrainConfig
from flows.outcome import Progress
from serving.bundle import FORMAT, Manifest, PastRows, RobustScaling, make_scorer, pack
from serving.scorer import score_rows
from training.detectors.registry import family
from training.objective import fit_detector, objective
from training.scaling import fit_scaling
from training.search import Trial, best, search
from training.space import Parameters

METRIC = "average_precision"
_USUAL_STEPS = 3  # a history spans up to two missing rows


@dataclass(frozen=True)
class Choice:
    """The configuration to fit, and how it was chosen in one sentence; no trials where nothing could be compared."""

    family: str
    parameters: Parameters
    trials: tuple[Trial, ...]
    reason: str


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
    choice = _choose(windows[Window.SELECTION], scaling, values, config, progress, ray, run)
    with progress.stage(f"Fitting the {choice.family.replace('_', ' ')}"):
        model = fit_detector(choice.family, choice.parameters, seed=config.seed, scaling=scaling, reference=values)
    with progress.stage("Calibrating") as stage:
        calibration = normal(windows[Window.CALIBRATION])
        scores = score_rows(make_scorer(scaling, model, history), calibration)
        calibrated = calibrate(scores, calibration.rows, alert_budget(config), usual_period(calibration.rows))
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


def _choose(
    window: Scorable,
    scaling: RobustScaling,
    reference: NDArray[np.float64],
    config: TrainConfig,
    progress: Progress,
    ray: Path,
    run: Path,
) -> Choice:
    first, selection = config.search.families[0], window.rows
    default = family(first).defaults
    known = selection.labels[selection.labels >= 0] if selection.labels is not None else np.empty(0, np.int8)
    anomalous, negatives = int((known == 1).sum()), int((known == 0).sum())
    if min(anomalous, negatives) < config.search.min_labels:
        had = f"{anomalous} anomalous and {negatives} normal labels" if len(known) else "no labels"
        reason = f"the default, since the selection window has {had} to select by"
        return Choice(first, default, (), reason)
    with progress.stage("Starting Ray and searching") as stage, running_ray(ray):
        trials = search(
            objective,
            {"scaling": scaling, "reference": reference, "selection": window.expanded(), "labels": selection.labels},
            families=config.search.families,
            trials=config.search.trials,
            metric=METRIC,
            seed=config.seed,
            storage=run / "tune",
            on_trial=lambda done: stage.update(f"{done} of {config.search.trials} trials"),
        )
        winner = best(trials, METRIC)
        failed = sum(bool(trial.error) for trial in trials)
        stage.result(f"{len(trials)} trials" + (f", {failed} failed" if failed else ""))
    reason = (
        f"best of {len(trials)} trials by {METRIC.replace('_', ' ')} on the selection window (trial {winner.number})"
    )
    return Choice(winner.family, winner.parameters, tuple(trials), reason)


def _sample(window: Scorable, rows: int, seed: int) -> Scorable:
    if len(window) <= rows:
        return window
    return window.take(np.sort(np.random.default_rng(seed).choice(len(window), rows, replace=False)))
