"""Fitting baselines: robust centre and scale by series and operating state, shrunk to the fleet's for few rows."""

from dataclasses import dataclass

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


def fit_baselines(rows: Rows, rules: BaselineRules) -> BaselineTable:
    """The baselines of the reference window's normal rows; rows of state "off" are left out.

    Without time every series counts as mature by its rows alone. Raises NotEnoughDataError without rows.
    """
    states = ("",) if rows.regimes is None else rows.regime_names
    state = np.zeros(len(rows), np.int64) if rows.regimes is None else rows.regimes
    kept = np.flatnonzero((state >= 0) & np.array([name != OFF for name in (*states, "?")])[state])
    if not len(kept):
        raise NotEnoughDataError("baselines", "needs reference rows of a state other than off", 0)
    values, times = rows.values[kept], None if rows.times is None else rows.times[kept]
    cell = rows.series[kept] * len(states) + state[kept]
    order = np.argsort(cell, kind="stable")  # canonical order within: time
    cell, values = cell[order], values[order]
    starts = np.flatnonzero(np.r_[True, np.diff(cell) != 0])
    counts = np.diff(np.r_[starts, len(cell)])
    centre, scale = group_spread(values, starts, counts)
    hours = np.full(len(starts), np.inf)
    if times is not None:
        ordered = times[order]
        hours = (ordered[starts + counts - 1] - ordered[starts]) / 3.6e9
    mature = (counts >= rules.min_rows) & (hours >= rules.min_hours)
    fleet_centre, fleet_scale, fleet_rows = _fleet(values, cell % len(states), len(states), rules)
    effective = counts / _inflation(values, starts, counts)
    weight = np.where(mature, 1.0, effective / (effective + rules.shrinkage))[:, None]
    towards = cell[starts] % len(states)
    known = _typical(scale[mature])
    centre = weight * centre + (1 - weight) * fleet_centre[towards]
    scale = weight * scale + (1 - weight) * fleet_scale[towards]
    scale = np.maximum(scale, np.maximum(rules.floor * known, _smallest(centre)))
    fleet = [number for number, count in enumerate(fleet_rows[:-1]) if count and states != ("",)] + [len(states)]
    return BaselineTable(
        series=tuple(rows.series_names[code] for code in cell[starts] // len(states)) + ("",) * len(fleet),
        regimes=tuple(states[code] for code in towards) + tuple((*states, "")[number] for number in fleet),
        rows=np.r_[counts, fleet_rows[fleet]].astype(np.int64),
        stratum=np.r_[np.where(mature, Stratum.MATURE, Stratum.YOUNG), [Stratum.UNSEEN] * len(fleet)].astype(np.int8),
        centre=np.concatenate([centre, fleet_centre[fleet]]),
        scale=np.concatenate([scale, fleet_scale[fleet]]).astype(np.float32),
    )


def group_spread(
    values: NDArray[np.float64], starts: NDArray[np.int64], counts: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(g, d) medians and scaled median absolute deviations of neighbouring groups of rows."""
    centre = _medians(values, starts, counts)
    return centre, _NORMAL_MAD * _medians(np.abs(values - np.repeat(centre, counts, axis=0)), starts, counts)


def _medians(values: NDArray[np.float64], starts: NDArray[np.int64], counts: NDArray[np.int64]) -> NDArray[np.float64]:
    group = np.repeat(np.arange(len(starts)), counts)
    low, high = starts + (counts - 1) // 2, starts + counts // 2
    found = np.empty((len(starts), values.shape[1]))
    for k in range(values.shape[1]):
        ordered = values[np.lexsort((values[:, k], group)), k]
        found[:, k] = (ordered[low] + ordered[high]) / 2
    return found


def _fleet(
    values: NDArray[np.float64], state: NDArray[np.int64], states: int, rules: BaselineRules
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]]:
    """(states + 1, d) centres and scales and (states + 1,) rows; the last row is over all states.

    A state with fewer than ``min_rows`` rows takes the figures over all states.
    """
    whole = np.zeros(1, np.int64), np.array([len(values)])
    centre, scale = group_spread(values, *whole)
    centres, scales = np.repeat(centre, states + 1, axis=0), np.repeat(scale, states + 1, axis=0)
    rows = np.bincount(state, minlength=states + 1)
    rows[states] = len(values)
    for number in range(states):
        if rows[number] >= rules.min_rows:
            part = values[state == number]
            centres[number], scales[number] = (row[0] for row in group_spread(part, whole[0], np.array([len(part)])))
    return centres, np.maximum(scales, _smallest(centres)), rows


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
