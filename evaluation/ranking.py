"""AUROC, average precision and medians with their intervals: figures that are no ratio of two sums."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm
from scipy.stats import t as student

from evaluation.intervals import Bootstrap, Interval, effective, t_interval

_LEVELS = 1_000


@dataclass(frozen=True)
class Ranked:
    """(b,) AUROC and average precision of each replicate, nan where it drew one kind of label; carrying: how
    many clusters hold either label."""

    auroc: NDArray[np.float64]
    precision: NDArray[np.float64]
    carrying: float


def rank(scores: NDArray[np.float32], truth: NDArray[np.bool_], codes: NDArray[np.int64], by: Bootstrap) -> Ranked:
    """Both figures of (n,) rows for each replicate; ``codes``: their clusters.

    Counted at up to 1,000 quantiles of the scores of either label, so that a replicate costs one matrix product: exact
    with fewer distinct scores than that, within a thousandth otherwise.
    """
    edges = np.unique(np.concatenate([_levels(scores[truth]), _levels(scores[~truth])]))
    level = np.maximum(np.searchsorted(edges, scores, side="right") - 1, 0)
    k, m = by.clusters.count, len(edges)
    cell = level * k + codes
    positive, negative = (np.bincount(cell[kind], minlength=m * k).reshape(m, k)[::-1] for kind in (truth, ~truth))
    hits, others = positive @ by.weights.T, negative @ by.weights.T  # (m, b), highest scores first
    found, passed = np.cumsum(hits, axis=0), np.cumsum(others, axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        precision = np.nansum(hits * (found / (found + passed)), axis=0) / found[-1]
        auroc = np.sum(hits * (passed[-1] - passed + others / 2), axis=0) / (found[-1] * passed[-1])
    precision[passed[-1] == 0] = np.nan
    carrying = min(int(np.count_nonzero(kind.sum(axis=0))) for kind in (positive, negative))
    return Ranked(auroc, precision, float(carrying))


def ranking_intervals(
    scores: NDArray[np.float32], truth: NDArray[np.bool_], codes: NDArray[np.int64], by: Bootstrap,
    values: tuple[float, float],
) -> tuple[Interval | None, Interval | None]:  # fmt: skip
    """Intervals of AUROC and average precision about their ``values`` on all rows."""
    found = rank(scores, truth, codes, by)
    return (
        t_interval(values[0], found.auroc[np.isfinite(found.auroc)], found.carrying, by, "share"),
        t_interval(values[1], found.precision[np.isfinite(found.precision)], found.carrying, by, "share"),
    )


def median_interval(values: NDArray[np.float64], codes: NDArray[np.int64], by: Bootstrap) -> Interval | None:
    """Percentile interval of the median of (e,) values; None with fewer than two effective clusters.

    The tails are widened for few clusters: Hesterberg, What teachers should know about the bootstrap, 2015, section 5.
    """
    counts = by.sums(np.ones(len(values)), codes)
    carrying = effective(counts)
    if carrying < 2:
        return None
    order = np.argsort(values, kind="stable")
    seen = np.cumsum(by.weights[:, codes[order]], axis=1)
    drawn = seen[seen[:, -1] > 0]
    medians = values[order][np.argmax(drawn >= drawn[:, -1:] / 2, axis=1)]
    far = float(student.ppf((1 + by.level) / 2, carrying - 1)) * np.sqrt(carrying / (carrying - 1))
    tail = float(norm.cdf(-far))
    return by.interval(*np.quantile(medians, [tail, 1 - tail]))


def _levels(scores: NDArray[np.float32]) -> NDArray[np.float32]:
    distinct = np.unique(scores)
    if len(distinct) <= _LEVELS:
        return distinct
    return np.asarray(np.quantile(scores, np.linspace(0, 1, _LEVELS), method="lower"))
