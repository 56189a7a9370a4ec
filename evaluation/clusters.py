"""What is independent of what: groups, or days of groups where groups are few."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from features.rows import Rows

MIN_CLUSTERS = 10
NOT_AVAILABLE = f"interval not available: fewer than {MIN_CLUSTERS} groups, and fewer than {MIN_CLUSTERS} days of them"
_MOST_CLUSTERS = 200
_DAY_US = 86_400 * 1_000_000


@dataclass(frozen=True)
class Clustering:
    """What is resampled as a whole: ``by`` groups or days of groups.

    keys: (m,) int64 ascending, one a group or group and day; place: (m,) the cluster of each, 0 to ``count`` - 1, of
    at most 200; start_us: where days are counted from. An interval by days speaks for these groups on other days.
    """

    by: Literal["groups", "days"]
    keys: NDArray[np.int64]
    place: NDArray[np.int64]
    count: int
    start_us: int

    def of(self, units: NDArray[np.int64], times: NDArray[np.int64] | None) -> NDArray[np.int64]:
        """(n,) clusters of groups at times; a group that no row is from joins one of them."""
        asked = _keys(self.by, units, times, self.start_us)
        at = np.minimum(np.searchsorted(self.keys, asked), len(self.keys) - 1)
        return np.where(self.keys[at] == asked, self.place[at], asked % self.count)


def cluster(rows: Rows, seed: int) -> Clustering | None:
    """Groups, or days of groups below 10 of them; None, as NOT_AVAILABLE says, below 10 of either.

    More than 200 are joined at random: sums of independent clusters are independent, and work stays bounded.
    """
    start_us = 0 if rows.times is None or not len(rows) else int(rows.times.min())
    offered: list[Literal["groups", "days"]] = ["groups"] if rows.times is None else ["groups", "days"]
    for by in offered:
        keys = np.unique(_keys(by, rows.independent, rows.times, start_us))
        if len(keys) >= MIN_CLUSTERS:
            place = np.random.default_rng(seed).permutation(len(keys)) % _MOST_CLUSTERS
            return Clustering(by, keys, place, min(len(keys), _MOST_CLUSTERS), start_us)
    return None


def _keys(
    by: Literal["groups", "days"], units: NDArray[np.int64], times: NDArray[np.int64] | None, start_us: int
) -> NDArray[np.int64]:
    if by == "groups" or times is None:
        return units
    return np.asarray(units * 100_000 + (times - start_us) // _DAY_US)
