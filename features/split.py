"""Windows in time order: reference | selection | calibration | test, with a gap after each cut."""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from features.errors import InputError, NotEnoughDataError
from features.rows import Rows


class Window(IntEnum):
    """What a row may be used for; DROPPED rows lie in a gap."""

    DROPPED = -1
    REFERENCE = 0
    SELECTION = 1
    CALIBRATION = 2
    TEST = 3


@dataclass(frozen=True)
class Split:
    """Shares of the rows by window (sum 1); the gap in microseconds dropped after each cut."""

    shares: tuple[float, float, float, float] = (0.5, 0.1, 0.2, 0.2)
    gap_us: int = 6 * 3600 * 1_000_000
    between_series: bool = False
    seed: int = 0


def assign(rows: Rows, split: Split) -> NDArray[np.int8]:
    """The window of each row, (n,) int8 of Window.

    With time, cuts lie at quantiles of the timestamps; an episode (a run of labelled rows of one series) that crosses
    a cut belongs whole to the later window. With ``between_series`` whole series, or whole groups where the table
    names them, are assigned in order of their first row. Without time, rows are assigned by a seeded permutation.
    Raises NotEnoughDataError when a window is empty.
    """
    if not len(rows):
        raise NotEnoughDataError("split", "needs rows", 0)
    bounds = np.cumsum(split.shares)[:3]
    if split.between_series:
        windows = _by_series(rows, bounds)
    elif rows.times is None:
        order = np.random.default_rng(split.seed).permutation(len(rows))
        windows = np.empty(len(rows), np.int8)
        windows[order] = np.searchsorted(bounds, (np.arange(len(rows)) + 0.5) / max(len(rows), 1))
    else:
        windows = _by_time(rows, rows.times, bounds, split.gap_us)
    counts = {w.name.lower(): int(np.sum(windows == w)) for w in Window if w >= 0}
    empty = [name for name, count in counts.items() if count == 0]
    if empty:
        raise NotEnoughDataError("split", f"window {empty[0]!r} holds no rows of {len(rows)}", counts)
    return windows


def _by_series(rows: Rows, bounds: NDArray[np.float64]) -> NDArray[np.int8]:
    units, counts = np.unique(rows.independent, return_counts=True)
    if len(units) < 4:
        what = "series" if rows.groups is None else "groups"
        raise InputError("split.between_series", f"needs at least four {what}", len(units))
    unit = np.searchsorted(units, rows.independent)
    first = np.full(len(units), np.iinfo(np.int64).max)
    np.minimum.at(first, unit, np.arange(len(rows)) if rows.times is None else rows.times)
    order = np.lexsort((units, first))
    middle = (np.cumsum(counts[order]) - counts[order] / 2) / len(rows)
    window_of = np.zeros(len(units), np.int8)
    window_of[order] = np.searchsorted(bounds, middle)
    return window_of[unit]


def _by_time(rows: Rows, times: NDArray[np.int64], bounds: NDArray[np.float64], gap_us: int) -> NDArray[np.int8]:
    cuts = np.quantile(times, bounds, method="higher")
    windows = np.searchsorted(cuts, times, side="right").astype(np.int8)
    episode = _episodes(rows)
    in_gap = np.zeros(len(rows), bool)
    for cut in cuts:
        in_gap |= (times >= cut) & (times < cut + gap_us)
    windows[in_gap] = Window.DROPPED
    if len(episode):
        # The whole episode follows its last row, gap or not: rows of one event never lie on both sides of a cut.
        last = np.searchsorted(cuts, times[episode[:, 1] - 1], side="right")
        for (start, stop), window in zip(episode, last, strict=True):
            if np.searchsorted(cuts, times[start], side="right") != window:
                windows[start:stop] = window
    return windows


def _episodes(rows: Rows) -> NDArray[np.int64]:
    """(k, 2) half-open row ranges of consecutive anomalous rows of one series."""
    flagged = rows.anomalous
    before = np.r_[False, flagged[:-1] & (rows.series[1:] == rows.series[:-1])]
    after = np.r_[before[1:] & flagged[1:], False]
    starts = np.flatnonzero(flagged & ~before)
    stops = np.flatnonzero(flagged & ~after) + 1
    return np.column_stack([starts, stops]).astype(np.int64)
