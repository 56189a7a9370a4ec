"""From scores to verdicts: the p-value among calibration rows, and the alert."""

from dataclasses import dataclass
from functools import cached_property
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
    return _Table.of(calibration).p_values(np.asarray(scores, np.float64))


@dataclass(frozen=True)
class _Table:
    """A calibration ready for look-ups: (m,) scores, and (m + 1,) the p-value of what lies below each and above all."""

    edges: NDArray[np.float64]
    p: NDArray[np.float64]

    @classmethod
    def of(cls, calibration: Calibration) -> "_Table":
        at_least = np.append(np.asarray(calibration.counts, np.int64), 0)
        return cls(np.asarray(calibration.scores, np.float64), (1 + at_least) / (1 + calibration.rows))

    def p_values(self, scores: NDArray[np.float64]) -> NDArray[np.float64]:
        return self.p[self.edges.searchsorted(scores, side="left")]


@dataclass(frozen=True)
class Judge:
    """The threshold and calibration of each stratum of rows; one where all rows are judged alike."""

    thresholds: tuple[float, ...]
    calibrations: tuple[Calibration, ...]

    @cached_property
    def tables(self) -> tuple[_Table, ...]:
        """Look-ups of the p-values, made once."""
        return tuple(map(_Table.of, self.calibrations))

    @cached_property
    def scales(self) -> NDArray[np.float64]:
        """The thresholds to divide scores by; NaN where one is not above 0 and no ratio has a meaning."""
        found = np.asarray(self.thresholds, np.float64)
        return np.where(found > 0, found, np.nan)


@dataclass(frozen=True)
class Verdicts:
    """(n,) alert rows, conformal p-values, and the stratum whose threshold applied."""

    alerts: NDArray[np.bool_]
    p_values: NDArray[np.float64]
    strata: NDArray[np.int8]


def judge(by: Judge, scores: NDArray[np.float32], strata: NDArray[np.int8] | None = None) -> Verdicts:
    """Verdicts on (n,) scores; strata: (n,) codes into the thresholds, all 0 without."""
    exact = scores.astype(np.float64)
    if strata is None:
        return Verdicts(exact >= by.thresholds[0], by.tables[0].p_values(exact), np.zeros(len(scores), np.int8))
    chosen = np.minimum(strata, len(by.thresholds) - 1)
    flagged, p = np.zeros(len(scores), bool), np.ones(len(scores))
    for code, (threshold, table) in enumerate(zip(by.thresholds, by.tables, strict=True)):
        rows = chosen == code
        flagged[rows] = exact[rows] >= threshold
        p[rows] = table.p_values(exact[rows])
    return Verdicts(flagged, p, chosen.astype(np.int8))


def severities(by: Judge, scores: NDArray[np.float32], strata: NDArray[np.int8]) -> NDArray[np.float64]:
    """(n,) scores divided by the threshold that applied, at least 1 for an alert; NaN for one of 0 or below."""
    return np.asarray(scores / (by.scales if len(by.scales) == 1 else by.scales[strata]))


def alerts(threshold: float, scores: ArrayLike) -> NDArray[np.bool_]:
    """(n,) True where a row is an alert row."""
    return np.asarray(np.asarray(scores, np.float64) >= threshold)
