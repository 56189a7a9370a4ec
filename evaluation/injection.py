"""Recall of injected faults: how many made-up faults of stated kind and size the detector alerts on, where no label is.

It says how far a detector sees, not what it will find: real faults have other shapes. It is never called recall alone.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from features.rows import Rows

KINDS = ("scale", "offset", "impulse", "noise")
_AMPLITUDES = ("rms", "peak")
_IMPULSIVE = ("peak", "crest_factor", "kurtosis", "impulse_factor")
_NORMAL_MAD = 1.4826  # median absolute deviation of a standard normal distribution, inverted

Flag = Callable[[NDArray[np.float64], NDArray[np.int64]], NDArray[np.bool_]]
"""(N, d) values of all valid rows in canonical order, (m,) positions in them -> (m,) alert rows."""


@dataclass(frozen=True)
class Injection:
    """Sizes in robust standard deviations of a series in the reference window; faults of each, rows of a fault, and
    kinds of ``KINDS``."""

    sizes: tuple[float, ...] = (4.0, 8.0, 16.0)
    faults: int = 240
    rows: int = 12
    kinds: tuple[str, ...] = KINDS


@dataclass(frozen=True)
class Places:
    """e runs of neighbouring rows that take every fault in turn: (e, length) positions; (e,) series-independent units
    and times of the first rows, as in ``Rows``."""

    rows: NDArray[np.int64]
    units: NDArray[np.int64]
    times: NDArray[np.int64] | None


@dataclass(frozen=True)
class InjectedFaults:
    """detected: (kinds, sizes, e) True where an alert row lies in the fault; untouched: (e,) the same of the rows as
    they were, which is what chance gives."""

    detected: NDArray[np.bool_]
    untouched: NDArray[np.bool_]
    kinds: tuple[str, ...]
    sizes: tuple[float, ...]
    places: Places

    @property
    def recall(self) -> float:
        """Recall of injected faults over all kinds and sizes."""
        return float(self.detected.mean())


def place(rows: Rows, usable: NDArray[np.bool_], injection: Injection, depth: int, seed: int) -> Places | None:
    """Seeded runs of usable rows of one series, or single rows without time; None where there are none.

    Groups take turns, so that none of them decides the figure.

    usable: (n,) test rows that are scored and not known to be anomalous; depth: past rows that a score looks at, kept
    between two runs, so that no fault lies in the past of another.
    """
    length = injection.rows if rows.times is not None else 1
    at = np.flatnonzero(usable)
    if not len(at):
        return None
    stretch = np.cumsum(np.r_[0, (np.diff(at) != 1) | (np.diff(rows.series[at]) != 0)])
    first = np.r_[0, np.flatnonzero(np.diff(stretch)) + 1]
    offset = np.arange(len(at)) - first[stretch]
    sizes = np.bincount(stretch)[stretch]
    starts = at[(offset % (length + depth) == 0) & (offset + length <= sizes)]
    if not len(starts):
        return None
    starts = np.random.default_rng(seed).permutation(starts)
    units = rows.independent[starts]
    order = np.argsort(units, kind="stable")
    turn = np.empty(len(starts), np.int64)
    turn[order] = np.arange(len(starts)) - np.searchsorted(units[order], units[order])
    chosen = np.sort(starts[np.argsort(turn, kind="stable")[: injection.faults]])
    times = None if rows.times is None else rows.times[chosen]
    return Places(chosen[:, None] + np.arange(length), rows.independent[chosen], times)


def inject(
    values: NDArray[np.float64],
    features: tuple[str, ...],
    kind: str,
    size: float,
    spread: NDArray[np.float64],
    seed: int,
) -> NDArray[np.float64]:
    """(e, length, d) values of placed rows -> the same with a fault in each run; ``size`` in units of (d,) ``spread``.

    scale: a gain that moves the run's mean by ``size``, of rms and peak of vibration records; offset: a constant of
    either sign; impulse: a third of the rows raised, in peak, crest factor, kurtosis and impulse factor of vibration
    records; noise: another normal draw each row. Other tables, offset and noise: a third of the features, drawn anew
    for each run. What is drawn is the same for every size.
    """
    e, length, d = values.shape
    rng = np.random.default_rng([seed, KINDS.index(kind)])
    drawn = np.argsort(rng.random((e, d)), axis=1) < max(1, round(d / 3))
    sign, noise = rng.choice([-1.0, 1.0], (e, 1, 1)), rng.standard_normal((e, length, d))
    hit = np.argsort(rng.random((e, length)), axis=1) < max(1, length // 3)
    named = {"scale": _AMPLITUDES, "impulse": _IMPULSIVE}.get(kind, ())
    if named and set(named) <= set(features):
        drawn = np.tile(np.isin(features, named), (e, 1))
    step = size * spread * drawn[:, None, :]
    if kind == "scale":
        level = np.maximum(np.abs(values).mean(axis=1, keepdims=True), spread)
        return np.asarray(values * (1 + step / level))
    change = {"offset": sign * step, "impulse": step * hit[:, :, None], "noise": step * noise}[kind]
    return np.asarray(values + change)


def injected_faults(
    flag: Flag, rows: Rows, places: Places, spread: NDArray[np.float64], injection: Injection, seed: int
) -> InjectedFaults:
    """Faults of every kind and size at the same places of (N) valid rows, judged by ``flag`` at its threshold."""
    at = places.rows.ravel()
    own, working = rows.values[places.rows], rows.values.copy()

    def hits() -> NDArray[np.bool_]:
        return np.asarray(flag(working, at).reshape(places.rows.shape).any(axis=1))

    untouched = hits()
    detected = np.empty((len(injection.kinds), len(injection.sizes), len(own)), bool)
    for number, kind in enumerate(injection.kinds):
        for rank, size in enumerate(injection.sizes):
            working[places.rows] = inject(own, rows.features, kind, size, spread, seed)
            detected[number, rank] = hits()
    return InjectedFaults(detected, untouched, injection.kinds, injection.sizes, places)


def reference_spread(rows: Rows) -> NDArray[np.float64]:
    """(d,) robust standard deviation of each feature within a series: scaled median distance from the series' median.

    A feature whose middle half never moves has its standard deviation, a constant one 1.
    """
    starts = np.flatnonzero(np.r_[True, np.diff(rows.series) != 0])
    counts = np.diff(np.r_[starts, len(rows)])
    group = np.repeat(np.arange(len(starts)), counts)
    found = np.empty(rows.values.shape[1])
    for k, column in enumerate(rows.values.T):
        ordered = column[np.lexsort((column, group))]
        away = column - np.repeat((ordered[starts + (counts - 1) // 2] + ordered[starts + counts // 2]) / 2, counts)
        found[k] = _NORMAL_MAD * np.median(np.abs(away)) or away.std() or 1.0
    return found
