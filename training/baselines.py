"""Fitting baselines: robust centre and scale by series and operating state, shrunk to the fleet's for few rows."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from features.errors import NotEnoughDataError
from features.rows import OFF, Rows
from serving.baselines import BaselineTable, Stratum

_NORMAL_MAD = 1.4826  # median absolute deviation of a standard normal distribution, inverted


@dataclass(frozen=True)
class BaselineRules:
    """min_rows over min_hours make a series mature; below, its own figures weigh n_eff / (n_eff + shrinkage).

    floor: lowest scale, as a share of the median scale of the mature series.
    """

    min_rows: int = 288
    min_hours: float = 23.0
    shrinkage: float = 50.0
    floor: float = 0.25


@dataclass(frozen=True)
class Fleet:
    """What a series of no rows has: (r, d) centre and scale by state, the last row for any; rows behind each.

    typical: (d,) median scale of the mature series, 0 where none is known; a floor for every series is a share of it.
    """

    regimes: tuple[str, ...]
    centre: NDArray[np.float64]
    scale: NDArray[np.float64]
    rows: NDArray[np.int64]
    typical: NDArray[np.float64]


def fit_fleet(rows: Rows, rules: BaselineRules) -> Fleet:
    """The fleet's figures from the reference window's normal rows; rows of state "off" or unknown are left out.

    A state of fewer than ``min_rows`` rows takes the figures over all states. Raises NotEnoughDataError without rows.
    """
    cells = _cells(rows)
    centre, scale = group_spread(cells.values, np.zeros(1, np.int64), np.array([len(cells.values)]))
    centres, scales, counts, names = [], [], [], []
    state = np.repeat(cells.state, cells.counts)
    for code, name in enumerate(cells.regimes if rows.regimes is not None else ()):
        part = cells.values[state == code]
        if not len(part):
            continue
        own = group_spread(part, np.zeros(1, np.int64), np.array([len(part)]))
        enough = len(part) >= rules.min_rows
        names.append(name)
        counts.append(len(part))
        centres.append(own[0][0] if enough else centre[0])
        scales.append(own[1][0] if enough else scale[0])
    whole = np.array([*centres, centre[0]])
    _, spread = group_spread(cells.values, cells.starts, cells.counts)
    return Fleet(
        regimes=(*names, ""),
        centre=whole,
        scale=np.maximum(np.array([*scales, scale[0]]), _smallest(whole)),
        rows=np.array([*counts, len(cells.values)]),
        typical=_typical(spread[cells.mature(rules)]),
    )


def fit_baselines(rows: Rows, rules: BaselineRules, fleet: Fleet | None = None) -> BaselineTable:
    """The baselines of the normal rows of the reference window, leaning on ``fleet`` (default: that of the rows).

    Without time every series counts as mature by its rows alone. Raises NotEnoughDataError without rows.
    """
    fleet = fleet or fit_fleet(rows, rules)
    cells = _cells(rows)
    centre, scale = group_spread(cells.values, cells.starts, cells.counts)
    mature = cells.mature(rules)
    effective = cells.counts / _inflation(cells.values, cells.starts, cells.counts)
    weight = np.where(mature, 1.0, effective / (effective + rules.shrinkage))[:, None]
    names = [cells.regimes[code] for code in cells.state]
    towards = np.array([fleet.regimes.index(name) if name in fleet.regimes else -1 for name in names])
    centre = weight * centre + (1 - weight) * fleet.centre[towards]
    scale = weight * scale + (1 - weight) * fleet.scale[towards]
    scale = np.maximum(scale, np.maximum(rules.floor * fleet.typical, _smallest(centre)))
    unseen = len(fleet.regimes)
    return BaselineTable(
        series=tuple(rows.series_names[code] for code in cells.series) + ("",) * unseen,
        regimes=(*names, *fleet.regimes),
        rows=np.r_[cells.counts, fleet.rows].astype(np.int64),
        stratum=np.r_[np.where(mature, Stratum.MATURE, Stratum.YOUNG), [Stratum.UNSEEN] * unseen].astype(np.int8),
        centre=np.concatenate([centre, fleet.centre]),
        scale=np.concatenate([scale, fleet.scale]).astype(np.float32),
    )


def fleet_of(table: BaselineTable) -> Fleet:
    """The fleet's figures that a table was made with."""
    rows = np.array([not name for name in table.series])
    return Fleet(
        regimes=tuple(name for name, own in zip(table.regimes, rows, strict=True) if own),
        centre=table.centre[rows],
        scale=table.scale[rows].astype(np.float64),
        rows=table.rows[rows],
        typical=_typical(table.scale[table.stratum == Stratum.MATURE].astype(np.float64)),
    )


def renew(table: BaselineTable, fresh: BaselineTable) -> BaselineTable:
    """The table with the baselines of ``fresh``, where these are as well known as those it has; the fleet's stay.

    A series that is mature stays so: a few new rows do not make it young.
    """
    chosen = {key: (table, n) for n, key in enumerate(zip(table.series, table.regimes, strict=True)) if key[0]}
    for n, key in enumerate(zip(fresh.series, fresh.regimes, strict=True)):
        part, known = chosen.get(key, (fresh, n))
        if key[0] and fresh.stratum[n] <= part.stratum[known]:
            chosen[key] = (fresh, n)
    places = [chosen[key] for key in sorted(chosen)] + [(table, n) for n, name in enumerate(table.series) if not name]

    def gathered(name: str) -> NDArray[Any]:
        return np.array([getattr(part, name)[n] for part, n in places])

    return BaselineTable(
        series=tuple(part.series[n] for part, n in places),
        regimes=tuple(part.regimes[n] for part, n in places),
        rows=gathered("rows"),
        stratum=gathered("stratum"),
        centre=gathered("centre"),
        scale=gathered("scale"),
    )


@dataclass(frozen=True)
class _Cells:
    """Rows by series and state, g cells side by side in time order: where each starts, its rows, codes, hours."""

    values: NDArray[np.float64]
    starts: NDArray[np.int64]
    counts: NDArray[np.int64]
    series: NDArray[np.int64]
    state: NDArray[np.int64]
    hours: NDArray[np.float64]
    regimes: tuple[str, ...]

    def mature(self, rules: BaselineRules) -> NDArray[np.bool_]:
        return np.asarray((self.counts >= rules.min_rows) & (self.hours >= rules.min_hours))


def _cells(rows: Rows) -> _Cells:
    regimes = ("",) if rows.regimes is None else rows.regime_names
    state = np.zeros(len(rows), np.int64) if rows.regimes is None else rows.regimes
    kept = np.flatnonzero((state >= 0) & rows.running)
    if not len(kept):
        raise NotEnoughDataError("baselines", f"need reference rows of a state other than {OFF}", 0)
    cell = rows.series[kept] * len(regimes) + state[kept]
    order = kept[np.argsort(cell, kind="stable")]  # canonical order within a cell: time
    cell = np.sort(cell)
    starts = np.flatnonzero(np.r_[True, np.diff(cell) != 0])
    counts = np.diff(np.r_[starts, len(cell)])
    hours = np.full(len(starts), np.inf)
    if rows.times is not None:
        times = rows.times[order]
        hours = (times[starts + counts - 1] - times[starts]) / 3.6e9
    found = cell[starts]
    return _Cells(
        rows.values[order], starts, counts, found // len(regimes), found % len(regimes), hours, tuple(regimes)
    )


def group_spread(
    values: NDArray[np.float64], starts: NDArray[np.int64], counts: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(g, d) medians and scaled median absolute deviations of neighbouring groups of rows."""
    centre = _medians(values, starts, counts)
    return centre, _NORMAL_MAD * _medians(np.abs(values - np.repeat(centre, counts, axis=0)), starts, counts)


def _medians(values: NDArray[np.float64], starts: NDArray[np.int64], counts: NDArray[np.int64]) -> NDArray[np.float64]:
    columns, found = np.ascontiguousarray(values.T), np.empty((len(starts), values.shape[1]))
    for k, (start, count) in enumerate(zip(starts, counts, strict=True)):
        middle = [(count - 1) // 2, count // 2]
        found[k] = np.partition(columns[:, start : start + count], middle, axis=1)[:, middle].mean(axis=1)
    return found


def _inflation(
    values: NDArray[np.float64], starts: NDArray[np.int64], counts: NDArray[np.int64]
) -> NDArray[np.float64]:
    """(g,) rows that tell as much as one independent row: (1 + r) / (1 - r) with the lag-1 autocorrelation r.

    Source: Bartlett 1946 for a first-order process; r is the largest over the features, within 0 and 0.99.
    """
    mean = np.add.reduceat(values, starts) / counts[:, None]
    centred = values - np.repeat(mean, counts, axis=0)
    power = np.add.reduceat(centred**2, starts)
    product = np.zeros_like(centred)
    product[1:] = centred[1:] * centred[:-1]
    product[starts] = 0.0
    r = np.divide(np.add.reduceat(product, starts), power, out=np.zeros_like(power), where=power > 0)
    highest = np.clip(r.max(axis=1), 0.0, 0.99)
    return np.asarray((1 + highest) / (1 - highest))


def _typical(scale: NDArray[np.float64]) -> NDArray[np.float64]:
    """(d,) medians of the scales of series that move at all, 0 where none does."""
    return np.array([np.median(column[column > 0]) if (column > 0).any() else 0.0 for column in scale.T])


def _smallest(centre: NDArray[np.float64]) -> NDArray[np.float64]:
    return 1e-9 * np.maximum(np.abs(centre), 1e-3)
