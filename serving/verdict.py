"""From scores to verdicts: the p-value among calibration rows, and the alert."""

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


def alerts(threshold: float, scores: ArrayLike) -> NDArray[np.bool_]:
    """(n,) True where a row is an alert row."""
    return np.asarray(np.asarray(scores, np.float64) >= threshold)
