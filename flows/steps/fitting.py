"""From windows to the files of a bundle: choose a configuration, fit it, set its threshold."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from evaluation.calibration import AlertBudget, Calibrated, calibrate, usual_period
from features.rows import Rows
from features.split import Window
from flows.adapters.local_ray import running_ray
from flows.config.model import microseconds
from flows.config.train import TrainConfig
from flows.outcome import Progress
from serving.bundle import FORMAT, Manifest, RobustScaling, make_scorer, pack
from serving.scorer import score
from training.detectors.registry import family
from training.objective import fit_detector, objective
from training.scaling import fit_scaling
from training.search import Trial, best, search
from training.space import Parameters

METRIC = "average_precision"


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
    windows: Mapping[Window, Rows], config: TrainConfig, *, simulated: bool, progress: Progress, ray: Path, run: Path
) -> Fitted:
    """Choose on the selection window, fit on the reference window, set the threshold on the calibration window.

    Rows known to be anomalous define neither what is normal nor the threshold. ``ray``: Ray's session folder.
    """
    reference = normal(windows[Window.REFERENCE])
    scaling = fit_scaling(reference.values)
    values = _sample(reference.values, config.search.max_rows, config.seed)
    choice = _choose(windows[Window.SELECTION], scaling, values, config, progress, ray, run)
    with progress.stage(f"Fitting the {choice.family.replace('_', ' ')}"):
        model = fit_detector(choice.family, choice.parameters, seed=config.seed, scaling=scaling, reference=values)
    with progress.stage("Calibrating") as stage:
        calibration = normal(windows[Window.CALIBRATION])
        scores = score(make_scorer(scaling, model), calibration.values)
        calibrated = calibrate(scores, calibration, alert_budget(config), usual_period(calibration))
        stage.result(f"threshold {calibrated.threshold:.4g}")
    manifest = Manifest(
        format=FORMAT,
        family=choice.family,
        parameters=dict(choice.parameters),
        features=list(reference.features),
        transform=scaling,
        threshold=calibrated.threshold,
        alpha=calibrated.alpha,
        calibration=calibrated.calibration,
        budget=calibrated.budget,
        seed=config.seed,
        simulated=simulated,
    )
    return Fitted(pack(manifest, model), choice, calibrated)


def alert_budget(config: TrainConfig) -> AlertBudget:
    """The budget of a configuration."""
    alerts = config.alerts
    return AlertBudget(
        alerts.onsets_per_series_day, alerts.row_rate, microseconds(alerts.merge), alerts.budget == "rows"
    )


def normal(rows: Rows) -> Rows:
    """Rows without those known to be anomalous."""
    return rows.take(~rows.anomalous)


def _choose(
    selection: Rows,
    scaling: RobustScaling,
    reference: NDArray[np.float64],
    config: TrainConfig,
    progress: Progress,
    ray: Path,
    run: Path,
) -> Choice:
    first = config.search.families[0]
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
            {"scaling": scaling, "reference": reference, "selection": selection.values, "labels": selection.labels},
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


def _sample(values: NDArray[np.float64], rows: int, seed: int) -> NDArray[np.float64]:
    if len(values) <= rows:
        return values
    return values[np.sort(np.random.default_rng(seed).choice(len(values), rows, replace=False))]
