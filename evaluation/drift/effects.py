"""Effects of drift: how far each feature has moved and how its spread has changed, with intervals that know how many
independent rows are behind them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata
from scipy.stats import t as student

from evaluation.drift.independence import Units, effective_rows

_NORMAL_MAD = 1.4826  # median absolute deviation of a standard normal distribution, inverted


@dataclass(frozen=True)
class Change:
    """An estimate and its simultaneous 95 % interval; n_eff: effective rows of reference and current."""

    value: float
    low: float
    high: float
    reference_n_eff: float
    current_n_eff: float


@dataclass(frozen=True)
class Effect:
    """What became of one feature.

    shift: of the median, in robust standard deviations of the reference (1.4826 · median absolute deviation); above 0:
    values rose. spread: current median absolute deviation over that of the reference. superiority: Cliff's delta, the
    probability that a current row lies above a reference row less that it lies below, -1 to 1.
    """

    feature: str
    shift: Change
    spread: Change
    superiority: float


@dataclass(frozen=True)
class Seen:
    """(n, d) values of one window and the units of its rows."""

    values: NDArray[np.float64]
    units: Units


def measure_effects(reference: Seen, current: Seen, features: tuple[str, ...]) -> tuple[Effect, ...]:
    """One effect a feature. The intervals hold together for all features and both figures (Bonferroni).

    A median lies between the quantiles 0.5 ± 0.5/√n_eff in one standard error of any distribution; the t of the fewer
    units widens it. A feature whose middle half never moves in the reference is measured in its standard deviation
    there, or in 1 if it is constant.
    """
    old, new = _side(reference), _side(current)
    t = float(student.ppf(1 - 0.05 / (4 * len(features)), max(1, min(reference.units.count, current.units.count) - 1)))
    scale = np.where(old.mad > 0, _NORMAL_MAD * old.mad, reference.values.std(axis=0))
    scale = np.where(scale > 0, scale, 1.0)
    shift, reach = (new.median - old.median) / scale, t * np.hypot(old.median_error, new.median_error) / scale
    moving = (old.mad > 0) & (new.mad > 0)  # without, nothing is said of the spread
    logs = [np.log(np.where(moving, side.mad, 1.0)) for side in (old, new)]
    errors = [np.where(moving, side.mad_error / np.where(moving, side.mad, 1.0), 0.0) for side in (old, new)]
    spread, width = logs[1] - logs[0], t * np.hypot(*errors)
    found = []
    for k, name in enumerate(features):
        low, ratio, high = (float(np.exp(np.clip(spread[k] + way * width[k], -50, 50))) for way in (-1, 0, 1))
        found.append(
            Effect(
                name,
                Change(
                    float(shift[k]), float(shift[k] - reach[k]), float(shift[k] + reach[k]), old.n_eff[k], new.n_eff[k]
                ),
                Change(ratio, low, high, old.spread_n_eff[k], new.spread_n_eff[k]),
                superiority(reference.values[:, k], current.values[:, k]),
            )
        )
    return tuple(found)


def superiority(reference: NDArray[np.float64], current: NDArray[np.float64]) -> float:
    """Cliff's delta of (m,) current against (n,) reference values, ties counting half (Cliff 1993)."""
    m, n = len(current), len(reference)
    ranks = rankdata(np.concatenate([current, reference]))
    return float(2 * (ranks[:m].sum() - m * (m + 1) / 2) / (m * n) - 1)


@dataclass(frozen=True)
class _Side:
    """(d,) of one window; errors are standard errors, n_eff lists."""

    median: NDArray[np.float64]
    median_error: NDArray[np.float64]
    n_eff: list[float]
    mad: NDArray[np.float64]
    mad_error: NDArray[np.float64]
    spread_n_eff: list[float]


def _side(seen: Seen) -> _Side:
    median = np.median(seen.values, axis=0)
    away = np.abs(seen.values - median)
    mad = np.median(away, axis=0)
    n_eff, spread_n_eff = (effective_rows(hit, seen.units) for hit in (seen.values > median, away > mad))
    return _Side(
        median,
        _median_error(seen.values, n_eff),
        n_eff.tolist(),
        mad,
        _median_error(away, spread_n_eff),
        spread_n_eff.tolist(),
    )


def _median_error(values: NDArray[np.float64], n_eff: NDArray[np.float64]) -> NDArray[np.float64]:
    """(d,) standard errors of the medians of (n, d) values, worth (d,) independent rows."""
    reach = 0.5 / np.sqrt(n_eff)
    bounds = [np.quantile(column, [0.5 - r, 0.5 + r]) for column, r in zip(values.T, reach, strict=True)]
    return np.array([(high - low) / 2 for low, high in bounds])
