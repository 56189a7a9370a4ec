"""What a trial measures: fit on the reference window, score the selection window through the one scorer."""

import time
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evaluation.calibration import AlertBudget, calibrate
from evaluation.measures import measure
from features.errors import NotEnoughDataError
from features.rows import Rows
from serving.bundle import make_scorer, make_transform
from serving.manifest import RobustScaling
from serving.scorer import score
from training.detectors.registry import family
from training.export.cost import operations
from training.space import PER_SERIES, Parameters, Report, no_report
from training.trials import Measured

AVERAGE_PRECISION = "selection_average_precision"
EPISODE_RECALL = "selection_episode_recall"
ONSETS = "selection_onsets_per_series_day"
ALERT_RATE = "selection_alert_rate"
OPERATIONS = "operations_per_row"
BYTES = "bundle_bytes"


@dataclass(frozen=True)
class View:
    """Rows as a transform sees them, with or without baselines.

    scaling: fitted on the reference window; reference: (n, D) values of a sample of it; selection: (m, D) values.
    """

    scaling: RobustScaling
    reference: NDArray[np.float64]
    selection: NDArray[np.float64]


def fit_detector(
    name: str,
    parameters: Parameters,
    *,
    seed: int,
    scaling: RobustScaling,
    reference: NDArray[np.float64],
    report: Report = no_report,
) -> bytes:
    """ONNX graph of a detector fitted on (n, d) reference values."""
    return family(name).fit(make_transform(scaling).apply(reference), parameters, seed, report=report)


def split_parameters(parameters: Parameters) -> tuple[Parameters, bool]:
    """The parameters of the family itself, and whether rows are seen from the baselines of their series."""
    own = {name: value for name, value in parameters.items() if name != PER_SERIES}
    return own, bool(parameters.get(PER_SERIES, False))


def objective(
    name: str,
    parameters: Parameters,
    *,
    seed: int,
    report: Report,
    views: Mapping[bool, View],
    rows: Rows,
    budget: AlertBudget,
    period_us: int,
) -> Measured:
    """Figures of the selection window, cost and size of the detector; the seconds of the fit, the microseconds a row.

    views: with baselines (True) and without; rows: of the selection window, whose own values are not looked at;
    period_us: their usual step.
    """
    started = time.perf_counter()
    own, per_series = split_parameters(parameters)
    view = views[per_series]
    model = fit_detector(name, own, seed=seed, scaling=view.scaling, reference=view.reference, report=report)
    fitted = time.perf_counter()
    scores = score(make_scorer(view.scaling, model), view.selection)
    timings = {"fit_s": fitted - started, "score_us": (time.perf_counter() - fitted) / max(1, len(scores)) * 1e6}
    size = {OPERATIONS: float(operations(model)), BYTES: float(len(model))}
    return Measured(size | measure_selection(scores, rows, budget, period_us), timings)


def measure_selection(scores: NDArray[np.float32], rows: Rows, budget: AlertBudget, period_us: int) -> dict[str, float]:
    """Figures to select by, as far as labels and time tell them: none of them is a figure of quality.

    Recall and alerts are those at a threshold that keeps the rows not known to be anomalous within the budget. It is
    the selection window's own: the calibration window sets the one that serves.
    """
    normal = ~rows.anomalous
    try:
        threshold = calibrate(scores[normal], rows.take(normal), budget, period_us).threshold
    except NotEnoughDataError:
        threshold = None
    found = measure(scores, scores >= (np.inf if threshold is None else threshold), rows, budget.merge_us, period_us)
    figures = {"selection_auroc": found.auroc, AVERAGE_PRECISION: found.average_precision}
    if threshold is not None:
        recall = found.episodes.recall if found.episodes else None
        figures |= {EPISODE_RECALL: recall, ONSETS: found.onsets_per_series_day, ALERT_RATE: found.alert_rate}
    return {name: value for name, value in figures.items() if value is not None}
