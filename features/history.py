"""Causal history: the rows of a series before a row, as further features of that row.

Rows are built on in time order before any window is cut: the past of a row is known when it is scored, so it may lie in
an earlier window or in the gap between two, and may hold rows labelled anomalous. It never lies in another series,
beyond a gap in time, or in the future.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from features.errors import InputError
from features.rows import Rows

REDUCERS = ("lags", "mean", "std", "slope")
_BLOCK_VALUES = 4_000_000  # past values gathered at once: 32 MB
_LARGEST = 1e140  # beyond it squares overflow, and infinities of both signs would make NaN


@dataclass(frozen=True)
class History:
    """``rows`` past rows (0: none) and the blocks of d features each that come of them.

    Over the past rows and the row itself, per feature: ``mean``; ``std``, with divisor rows + 1; ``slope`` of the least
    squares line, in units of the feature a row. ``lags`` are the past values themselves, the nearest row first. Rows
    more than ``max_gap_us`` apart are not consecutive.
    """

    rows: int = 0
    reducers: tuple[str, ...] = ()
    max_gap_us: int = 0

    def width(self, features: int) -> int:
        """Number of expanded features."""
        return features * (1 + sum(self.rows if reducer == "lags" else 1 for reducer in self._active))

    @property
    def _active(self) -> tuple[str, ...]:
        return self.reducers if self.rows else ()


NO_HISTORY = History()


def expand(history: History, values: NDArray[np.float64], past: NDArray[np.float64] | None) -> NDArray[np.float64]:
    """(n, d) rows and (n, rows, d) past rows, oldest first -> (n, D): the row's own values, then a block a reducer.

    A row comes out the same in any batch, to the bit: sums run over the past one row after another, never in an order
    that depends on the shape. They are taken of differences from the row itself, so that a constant past has a spread
    of 0 and not of rounding errors. Column j belongs to feature j modulo d. Raises InputError for another shape.
    """
    if past is None and not history.rows:
        return values
    wanted = (len(values), history.rows, values.shape[1])
    if past is None or past.shape != wanted:
        raise InputError("history", f"must have shape {wanted}", None if past is None else past.shape)
    own = np.clip(values, -_LARGEST, _LARGEST)
    steps = [np.clip(past[:, step], -_LARGEST, _LARGEST) - own for step in range(history.rows)] + [np.zeros_like(own)]
    mean = _sum(steps) / len(steps)
    blocks = [values]
    for reducer in history.reducers:
        if reducer == "lags":
            blocks += [past[:, -lag] for lag in range(1, history.rows + 1)]
        elif reducer == "mean":
            blocks.append(own + mean)
        elif reducer == "std":
            blocks.append(np.sqrt(_sum([(step - mean) ** 2 for step in steps]) / len(steps)))
        else:
            blocks.append(_sum([weight * step for weight, step in zip(_slope(len(steps)), steps, strict=True)]))
    return np.concatenate(blocks, axis=1)


def expanded_names(history: History, features: tuple[str, ...]) -> tuple[str, ...]:
    """Names of the expanded features: ``rms``, ``rms[-1]``, ``mean(rms)``, …"""
    names = list(features)
    for reducer in history.reducers if history.rows else ():
        if reducer == "lags":
            names += [f"{name}[-{lag}]" for lag in range(1, history.rows + 1) for name in features]
        else:
            names += [f"{reducer}({name})" for name in features]
    return tuple(names)


@dataclass(frozen=True)
class Scorable:
    """n rows with complete history and where it lies: in the rows just before ``at`` of all valid rows.

    at: (n,) int64 positions in ``values``, (N, d) of all valid rows in canonical order.
    """

    rows: Rows
    history: History
    values: NDArray[np.float64]
    at: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.at)

    def take(self, index: NDArray[Any]) -> "Scorable":
        """The rows at ``index`` (a boolean mask or ascending positions), with the same past."""
        return replace(self, rows=self.rows.take(index), at=self.at[index])

    def blocks(self) -> Iterator[tuple[NDArray[np.float64], NDArray[np.float64] | None]]:
        """(m, d) values and (m, rows, d) past rows, None without history, of some rows at a time."""
        depth = self.history.rows
        size = max(1, _BLOCK_VALUES // (max(1, depth) * max(1, self.values.shape[1])))
        for start in range(0, len(self), size):
            at = self.at[start : start + size]
            yield self.values[at], self.values[at[:, None] + np.arange(-depth, 0)] if depth else None

    def expanded(self) -> NDArray[np.float64]:
        """(n, D) expanded features, all at once: for a stated sample or one window."""
        empty = np.empty((0, self.history.width(self.values.shape[1])))
        return np.concatenate([empty, *(expand(self.history, values, past) for values, past in self.blocks())])


def scorable(rows: Rows, history: History) -> Scorable:
    """The rows that have ``history.rows`` past rows: of their series, each within ``max_gap_us`` of the next.

    Raises InputError for rows without time, unless there is no history.
    """
    at = np.arange(len(rows))
    if not history.rows:
        return Scorable(rows, history, rows.values, at)
    if rows.times is None:
        raise InputError("data.timestamp", "must name the column of times: history needs the order of rows")
    follows = (np.diff(rows.series) == 0) & (np.diff(rows.times) <= history.max_gap_us)
    first = np.maximum.accumulate(np.where(np.r_[False, follows][: len(rows)], 0, at))
    at = at[at - first >= history.rows]
    return Scorable(rows.take(at), history, rows.values, at)


def _sum(steps: list[NDArray[np.float64]]) -> NDArray[np.float64]:
    total = steps[0]
    for step in steps[1:]:
        total = total + step
    return total


def _slope(steps: int) -> NDArray[np.float64]:
    """(steps,) weights whose weighted sum is the least squares slope."""
    centred = np.arange(steps) - (steps - 1) / 2
    return np.asarray(centred / np.sum(centred**2))
