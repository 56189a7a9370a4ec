"""Intervals of figures whose rows are not independent: bootstrap over groups, or over days where groups are few.

The standard error is that of figures recomputed on resampled clusters; the interval is a t interval about the figure on
the scale where it is nearly normal, with the degrees of freedom of the clusters that carry it. Percentile and BCa
intervals of 95 % were tried on simulated episodes: where a handful of groups holds them, they cover 77 to 86 %, these
94 to 96 %.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t as student

from evaluation.clusters import Clustering

TOO_CONCENTRATED = "interval not available: nearly all of it lies in one group or day"

Scale = Literal["share", "rate", "difference"]


@dataclass(frozen=True)
class Interval:
    """``low`` to ``high`` hold the truth in ``level`` of all windows like this one.

    clusters: how many groups or days were resampled; ``method`` names which.
    """

    low: float
    high: float
    level: float
    method: str
    clusters: int


@dataclass(frozen=True)
class Bootstrap:
    """A clustering and (b, k) how often each of its k clusters occurs in each of b replicates."""

    clusters: Clustering
    weights: NDArray[np.float64]
    level: float

    def sums(self, values: NDArray[np.float64], codes: NDArray[np.int64]) -> NDArray[np.float64]:
        """(k,) sums of (n,) values by cluster."""
        return np.bincount(codes, values, self.clusters.count).astype(np.float64)

    def interval(self, low: float, high: float) -> Interval:
        """The interval with its provenance."""
        method = f"cluster bootstrap by {self.clusters.by}, {len(self.weights):,} replicates"
        return Interval(float(low), float(high), self.level, method, self.clusters.count)


def bootstrap(clusters: Clustering, seed: int, *, level: float = 0.95, replicates: int = 1_000) -> Bootstrap:
    """Seeded multinomial resampling of clusters (Efron 1979; clusters: Davison and Hinkley 1997, section 3.8)."""
    k = clusters.count
    weights = np.random.default_rng(seed).multinomial(k, np.full(k, 1 / k), size=replicates).astype(np.float64)
    return Bootstrap(clusters, weights, level)


def ratio_interval(
    numerator: NDArray[np.float64], denominator: NDArray[np.float64], by: Bootstrap, scale: Scale
) -> Interval | None:
    """Interval of the sum of (k,) numerators by that of (k,) denominators, sums over each cluster.

    share: at most 1 (recall, alert rate); rate: at least 0 (onsets per day); difference: of two shares with one
    denominator, paired. None, as TOO_CONCENTRATED says, where fewer than two clusters carry the denominator.
    """
    carrying = effective(denominator)
    total = by.weights @ denominator
    drawn = total > 0
    replicates = (by.weights @ numerator)[drawn] / total[drawn]
    extra = 0.0
    if scale == "difference" and carrying:
        # A detector that misses one cluster in twenty looks equal in the other nineteen: without this share of one
        # more cluster, 10 to 49 % of challengers worse by the margin pass on a dozen groups, with it at most 6 %.
        extra = 1 / (float(denominator.sum()) * carrying)
    value = float(numerator.sum() / denominator.sum()) if carrying else 0.0
    return t_interval(value, replicates, carrying, by, scale, exposure=float(denominator.sum()), extra=extra)


def t_interval(
    value: float,
    replicates: NDArray[np.float64],
    carrying: float,
    by: Bootstrap,
    scale: Scale,
    *,
    exposure: float = 0.0,
    extra: float = 0.0,
) -> Interval | None:
    """``value`` ± t · standard error of (b,) replicates, on the logit (share), log (rate) or own scale (difference).

    carrying: effective number of clusters behind the figure; exposure: what a rate of no events is a rate of; extra:
    variance that the replicates cannot show. A share of 0 or 1 has the exact binomial bound of so many clusters, a
    rate of 0 the Poisson one, since their replicates do not vary.
    """
    if carrying < 2 or not len(replicates):
        return None
    tail = (1 - by.level) / 2
    if scale == "share" and not 0 < value < 1:
        bound = tail ** (1 / carrying)
        return by.interval(0.0, 1 - bound) if value <= 0 else by.interval(bound, 1.0)
    if scale == "rate" and value <= 0:
        return by.interval(0.0, -np.log(tail) / exposure)
    error = np.sqrt(np.var(replicates) * carrying / (carrying - 1) + extra)
    reach = float(student.ppf(1 - tail, carrying - 1)) * error
    if scale == "difference":
        return by.interval(max(-1.0, value - reach), min(1.0, value + reach))
    reach = min(reach / (value * (1 - value) if scale == "share" else value), 500.0)
    low, high = value * np.exp(-reach), value * np.exp(reach)
    if scale == "share":
        return by.interval(low / (low + 1 - value), high / (high + 1 - value))
    return by.interval(low, high)


def effective(weights: NDArray[np.float64]) -> float:
    """Number of equal clusters that tell as much as these of (k,) weights (Kish 1965); 0 where all are 0."""
    return float(weights.sum() ** 2 / np.sum(weights**2)) if weights.any() else 0.0
