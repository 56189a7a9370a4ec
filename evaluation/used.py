"""Rows that a model was made of, which must not judge it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from features.rows import Rows


@dataclass(frozen=True)
class Used:
    """Rows that a training used: those from first to last time (microseconds), of these series only where it cut
    between series."""

    first_us: int
    last_us: int
    series: frozenset[str] | None = None


def used(rows: Rows, by: Sequence[Used]) -> NDArray[np.bool_]:
    """(n,) True for rows of a training window of either bundle; without time nobody can tell: none."""
    found = np.zeros(len(rows), bool)
    if rows.times is None:
        return found
    for window in by:
        inside = (rows.times >= window.first_us) & (rows.times <= window.last_us)
        if window.series is not None:
            inside &= np.isin(rows.series, [c for c, name in enumerate(rows.series_names) if name in window.series])
        found |= inside
    return found
