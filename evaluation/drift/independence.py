"""How many independent rows dependent ones are worth, by groups or stretches of time."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from evaluation.clusters import cluster
from features.rows import Rows

_STRETCHES = 20


@dataclass(frozen=True)
class Units:
    """(n,) codes of what is taken for independent: groups, days of groups, stretches of time, or each row."""

    by: Literal["groups", "days", "stretches", "rows"]
    codes: NDArray[np.int64]

    @property
    def count(self) -> int:
        """How many there are."""
        return len(np.unique(self.codes))


def independent_units(rows: Rows, seed: int) -> Units:
    """Groups where there are ten, else their days, else stretches of their time; rows where there is no time."""
    if (found := cluster(rows, seed)) is not None:
        return Units(found.by, found.of(rows.independent, rows.times))
    if rows.times is None:
        return Units("rows", np.arange(len(rows)))
    span = max(int(rows.times.max() - rows.times.min()), 1)
    stretch = (rows.times - rows.times.min()) * _STRETCHES // (span + 1)
    return Units("stretches", np.unique(rows.independent * _STRETCHES + stretch, return_inverse=True)[1].reshape(-1))


def effective_rows(hit: NDArray[np.bool_], units: Units) -> NDArray[np.float64]:
    """(d,) independent rows whose share of hits would vary as that of (n, d) dependent ones does: 1 to n.

    The variance of a share over units (ratio estimate with linearisation; Cochran 1977, section 9A) against that of a
    binomial share: the design effect of Kish (1965).
    """
    n, shares, count = len(hit), hit.mean(axis=0), units.count
    away = hit - shares
    sums = np.stack([np.bincount(units.codes, column) for column in away.T], axis=1)
    variances = count / max(count - 1, 1) * (sums**2).sum(axis=0) / n**2
    alone = shares * (1 - shares)
    worth = np.divide(alone, variances, out=np.full(len(shares), float(n)), where=variances > 0)
    return np.asarray(np.clip(worth, 1, n))
