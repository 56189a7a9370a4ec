"""What a trial measures: fit on the reference window, score the selection window through the one scorer."""

import time
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from evaluation.measures import ranking
from serving.bundle import RobustScaling, make_scorer, make_transform
from serving.scorer import score
from training.detectors.registry import family
from training.space import Parameters


def fit_detector(
    name: str, parameters: Parameters, *, seed: int, scaling: RobustScaling, reference: NDArray[np.float64]
) -> bytes:
    """ONNX graph of a detector fitted on (n, d) reference values."""
    return family(name).fit(make_transform(scaling).apply(reference), parameters, seed)


def objective(
    name: str,
    parameters: Parameters,
    *,
    seed: int,
    scaling: RobustScaling,
    reference: NDArray[np.float64],
    selection: NDArray[np.float64],
    labels: NDArray[np.int8],
) -> Mapping[str, float]:
    """Average precision and AUROC on the labelled selection window, and the seconds the fit took."""
    started = time.perf_counter()
    model = fit_detector(name, parameters, seed=seed, scaling=scaling, reference=reference)
    fit_s = time.perf_counter() - started
    auroc, precision, _ = ranking(score(make_scorer(scaling, model), selection), labels)
    if auroc is None or precision is None:
        raise ValueError("the selection window needs rows with label 1 and rows with label 0")
    return {"average_precision": precision, "auroc": auroc, "fit_s": fit_s}
