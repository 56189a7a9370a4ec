"""From scores to verdicts: the p-value among calibration rows, and the alert."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Annotated

import msgspec
import numpy as np
from msgspec import Meta
from numpy.typing import ArrayLike, NDArray


class Calibration(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Scores of the calibration window, thinned far below the threshold.

    scores ascend strictly; ``counts[i]`` of the ``rows`` calibration scores lie above ``scores[i - 1]`` (all of them
    for i = 0): exact where no score was left out between the two, never too small elsewhere.
    """

    rows: Annotated[int, Meta(ge=1)]
    scores: list[float]
    counts: list[int]

    def __post_init__(self) -> None:
        if len(self.scores) != len(self.counts) or any(a >= b for a, b in pairwise(self.scores)):
            raise ValueError("calibration scores must ascend strictly and have one count each")


def p_values(calibration: Calibration, scores: ArrayLike) -> NDArray[np.float64]:
    """(n,) conformal p-values: (1 + number of calibration scores >= score) / (1 + calibration rows).

    Source: Vovk, Gammerman, Shafer: Algorithmic Learning in a Random World, 2005.
    """
    interval = np.searchsorted(np.asarray(calibration.scores), np.asarray(scores, np.float64), side="left")
    at_least = np.append(np.asarray(calibration.counts), 0)[interval]
    return np.asarray((1 + at_least) / (1 + calibration.rows))


@dataclass(frozen=True)
class Judge:
    """The threshold and calibration of each stratum of rows; one where all rows are judged alike."""

    thresholds: tuple[float, ...]
    calibrations: tuple[Calibration, ...]


@dataclass(frozen=True)
class Verdicts:
    """(n,) alert rows, conformal p-values, and the stratum whose threshold applied."""

    alerts: NDArray[np.bool_]
    p_values: NDArray[np.float64]
    strata: NDArray[np.int8]


def judge(by: Judge, scores: NDArray[np.float32], strata: NDArray[np.int8] | None = None) -> Verdicts:
    """Verdicts on (n,) scores; strata: (n,) codes into the thresholds, all 0 without."""
    chosen = np.zeros(len(scores), np.int8) if strata is None else np.minimum(strata, len(by.thresholds) - 1)
    flagged, p = np.zeros(len(scores), bool), np.ones(len(scores))
    for code, (threshold, calibration) in enumerate(zip(by.thresholds, by.calibrations, strict=True)):
        rows = chosen == code
        flagged[rows] = alerts(threshold, scores[rows])
        p[rows] = p_values(calibration, scores[rows])
    return Verdicts(flagged, p, chosen.astype(np.int8))


def alerts(threshold: float, scores: ArrayLike) -> NDArray[np.bool_]:
    """(n,) True where a row is an alert row."""
    return np.asarray(np.asarray(scores, np.float64) >= threshold)
