"""The threshold: the lowest score at which the calibration window stays within the alert budget."""

from bisect import bisect_left, insort
from dataclasses import dataclass
from itertools import groupby

import numpy as np
from numpy.typing import NDArray
from scipy.stats import beta, chi2

from features.errors import NotEnoughDataError
from features.rows import Rows
from serving.manifest import Budget
from serving.verdict import Calibration

DAY_US = 86_400 * 1_000_000
MIN_SERIES_DAYS = 10.0
MIN_BUDGETED_ONSETS = 10.0
_KEPT_EXACTLY = 1_000
_KEPT_BELOW = 1_000


@dataclass(frozen=True)
class AlertBudget:
    """What operators accept: onsets per series and day, or, where those cannot be counted, a share of rows."""

    onsets_per_series_day: float = 0.1
    row_rate: float = 0.01
    merge_us: int = 3600 * 1_000_000
    by_rows: bool = False


@dataclass(frozen=True)
class Calibrated:
    """``alert <=> score >= threshold <=> p <= alpha`` for every float32 score."""

    threshold: float
    alpha: float
    calibration: Calibration
    budget: Budget


def calibrate(scores: NDArray[np.float32], rows: Rows, budget: AlertBudget, period_us: int) -> Calibrated:
    """Threshold, alpha and thinned scores from the calibration window.

    scores: (n,) of ``rows``, in their order; period_us: the usual step between two rows of a series. Counts onsets
    where there is time and the window holds enough of them, else rows, and says why. Raises NotEnoughDataError when
    even the row rate cannot be promised (below 1/rate - 1 rows).
    """
    n = len(scores)
    days = series_days(rows, period_us)
    reason = _why_rows(rows, budget, days)
    if not reason:
        found = _by_onsets(scores, rows, budget, budget.onsets_per_series_day * days)
        if found is None:
            reason = "the scores of the calibration window do not exceed the onset budget at any threshold"
    if reason:
        allowed = int(budget.row_rate * (n + 1)) - 1
        if allowed < 0:
            rule = f"a row rate of {budget.row_rate:g} needs at least {int(np.ceil(1 / budget.row_rate)) - 1} rows"
            raise NotEnoughDataError("calibration window", rule, n)
        found = np.sort(scores)[n - 1 - allowed]
    above = np.nextafter(np.float32(found), np.float32(np.inf))
    flagged = scores >= above
    timed = rows.times is not None
    exceedances = count_onsets(flagged, rows, budget.merge_us) if timed else int(flagged.sum())
    low, high = _range_of_share(exceedances, int(flagged.sum()), n) if reason else rate_interval(exceedances, days)
    stated = Budget(
        kind="row_rate" if reason else "onsets_per_series_day",
        limit=budget.row_rate if reason else budget.onsets_per_series_day,
        realised=float(flagged.mean()) if reason else exceedances / days,
        merge_s=budget.merge_us / 1e6,
        reason=reason,
        exceedances=exceedances,
        low=low,
        high=high,
    )
    alpha = (1 + int(flagged.sum())) / (1 + n)
    return Calibrated(float(above), alpha, _thin(scores, int(flagged.sum())), stated)


def onsets(flagged: NDArray[np.bool_], rows: Rows, merge_us: int) -> NDArray[np.bool_]:
    """(n,) True at the first alert row of each run: those of one series less than ``merge_us`` apart. Needs times."""
    assert rows.times is not None
    at = np.flatnonzero(flagged)
    joined = (np.diff(rows.series[at]) == 0) & (np.diff(rows.times[at]) < merge_us)
    found = np.zeros(len(rows), bool)
    found[at[:1]] = True
    found[at[1:][~joined]] = True
    return found


def count_onsets(flagged: NDArray[np.bool_], rows: Rows, merge_us: int) -> int:
    """Number of runs of alert rows. Needs times."""
    return int(onsets(flagged, rows, merge_us).sum())


def series_days(rows: Rows, period_us: int) -> float:
    """Observed time of all series together, in days: rows times the usual step; 0 without time."""
    return 0.0 if rows.times is None else len(rows) * period_us / DAY_US


def usual_period(rows: Rows) -> int:
    """Median step in microseconds between consecutive rows of a series; 0 without time."""
    if rows.times is None or len(rows) < 2:
        return 0
    steps = np.diff(rows.times)[np.diff(rows.series) == 0]
    return int(np.median(steps)) if len(steps) else 0


def rate_interval(onsets: int, days: float) -> tuple[float, float]:
    """Exact 90 % interval of a Poisson rate (Garwood 1936), for onsets in so many series-days."""
    low = float(chi2.ppf(0.05, 2 * onsets)) / 2 if onsets else 0.0
    return low / days, float(chi2.ppf(0.95, 2 * onsets + 2)) / 2 / days


def _range_of_share(independent: int, flagged: int, n: int) -> tuple[float, float]:
    """90 % range of the alert rate of exchangeable rows given the calibration scores: a beta distribution.

    Alert rows that follow each other tell as much as one, so all rows count for as many as their runs do. Source: Vovk,
    Conditional validity of inductive conformal predictors, 2012.
    """
    rows = n * independent / flagged if flagged else float(n)
    low, high = beta.ppf([0.05, 0.95], independent + 1, max(rows - independent, 1.0))
    return float(low), float(high)


def _why_rows(rows: Rows, budget: AlertBudget, days: float) -> str:
    if budget.by_rows:
        return "configured (alerts.budget: rows)"
    if rows.times is None:
        return "the table has no time"
    if days < MIN_SERIES_DAYS:
        return f"the calibration window holds {days:.1f} series-days, fewer than {MIN_SERIES_DAYS:g}"
    budgeted = budget.onsets_per_series_day * days
    if budgeted < MIN_BUDGETED_ONSETS:
        return f"the calibration window has a budget of {budgeted:.1f} onsets, fewer than {MIN_BUDGETED_ONSETS:g}"
    return ""


def _by_onsets(scores: NDArray[np.float32], rows: Rows, budget: AlertBudget, allowed: float) -> np.float32 | None:
    """The highest score whose inclusion exceeds the allowed onsets, going down; None when none does.

    Adding a row changes the number of runs by one, less the neighbours it joins.
    """
    assert rows.times is not None
    merge = budget.merge_us
    seen: dict[int, list[int]] = {}
    onsets = 0
    order = np.argsort(-scores, kind="stable")
    for value, group in groupby(order.tolist(), key=lambda i: scores[i]):
        for i in group:
            time, times = int(rows.times[i]), seen.setdefault(int(rows.series[i]), [])
            at = bisect_left(times, time)
            left = at > 0 and time - times[at - 1] < merge
            right = at < len(times) and times[at] - time < merge
            joined_before = 0 < at < len(times) and times[at] - times[at - 1] < merge
            onsets += 1 - left - right + joined_before
            insort(times, time)
        if onsets > allowed:
            return np.float32(value)
    return None


def _thin(scores: NDArray[np.float32], flagged: int) -> Calibration:
    """Every score from a little below the threshold upwards, and an even choice of the rest."""
    ordered = np.sort(scores)
    exact = min(len(ordered), max(_KEPT_EXACTLY, flagged + 1))
    rest = ordered[: len(ordered) - exact]
    chosen = rest[np.linspace(0, len(rest) - 1, min(len(rest), _KEPT_BELOW)).astype(int)] if len(rest) else rest
    kept = np.unique(np.r_[chosen, ordered[len(ordered) - exact :]])
    above = len(ordered) - np.searchsorted(ordered, kept, side="right")
    counts = [len(ordered), *above[:-1].tolist()]
    return Calibration(rows=len(ordered), scores=[float(s) for s in kept], counts=counts)
