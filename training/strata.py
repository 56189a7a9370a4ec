"""Thresholds by stratum: rows of young and of unseen series are judged by scores that such rows have.

The calibration window is scored again as if its series were young (baselines of their last few reference rows) and as
if they were unseen (the fleet's rows of the other groups), so that each stratum keeps the alert budget by itself.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from evaluation.calibration import AlertBudget, Calibrated, calibrate
from features.errors import NotEnoughDataError
from features.history import Scorable
from features.rows import Rows
from serving.baselines import Stratum, locate, make_baselines
from serving.manifest import Strata, StratumThreshold
from serving.scorer import Scorer, score_rows
from training.baselines import BaselineRules, fit_baselines, fit_fleet

YOUNG_ROWS = (12, 48, 144)
"""Reference rows that a series is left with when it plays a young one, in turn."""
_FOLDS = 5


def calibrate_strata(
    scorer: Scorer,
    reference: Rows,
    calibration: Scorable,
    rules: BaselineRules,
    budget: AlertBudget,
    period_us: int,
) -> tuple[Calibrated, Strata]:
    """The thresholds of mature, and of young and unseen rows; the rows of both windows are normal ones.

    ``scorer`` has the baselines of ``reference``. A stratum without rows in the calibration window, and mature where no
    series is, takes the scores of young ones. Raises NotEnoughDataError where the budget cannot be promised.
    """
    assert scorer.baselines is not None
    at = locate(scorer.baselines, calibration.rows)
    mature = scorer.baselines.stratum[at] == Stratum.MATURE
    young = _calibrated(score_as_young(scorer, reference, calibration, rules), calibration, budget, period_us)
    unseen = _calibrated(score_as_unseen(scorer, reference, calibration, rules), calibration, budget, period_us)
    own = young
    if mature.any():
        known = calibration.take(mature)
        own = calibrate(score_rows(scorer, known, at[mature]), known.rows, budget, period_us)
    return own, Strata(young=_threshold(young), unseen=_threshold(unseen))


def score_as_young(
    scorer: Scorer, reference: Rows, rows: Scorable, rules: BaselineRules, ages: tuple[int, ...] = YOUNG_ROWS
) -> NDArray[np.float32]:
    """(n,) scores as they are where series have only a few reference rows; NaN for a series without any."""
    few = reference.take(_last(reference, ages))
    never = BaselineRules(min_rows=2**62, min_hours=0, shrinkage=rules.shrinkage, floor=rules.floor)
    baselines = make_baselines(fit_baselines(few, never, fit_fleet(reference, rules)))
    at = locate(baselines, rows.rows)
    scores = score_rows(Scorer(scorer.transform, scorer.graph, scorer.history, baselines), rows, at)
    return np.where(baselines.stratum[at] == Stratum.YOUNG, scores, np.float32(np.nan))


def score_as_unseen(scorer: Scorer, reference: Rows, rows: Scorable, rules: BaselineRules) -> NDArray[np.float32]:
    """(n,) scores as they are for series that the baselines never saw: groups are left out in turn."""
    scores = np.full(len(rows), np.nan, np.float32)
    for inside, outside in _folds(rows.rows, reference):
        if not inside.any() or not outside.any():
            continue
        fleet = fit_fleet(reference.take(outside), rules)
        baselines = make_baselines(fit_baselines(reference.take(outside), rules, fleet))
        part = rows.take(inside)
        at = baselines.find([None] * len(part), _states(part.rows))
        scores[inside] = score_rows(Scorer(scorer.transform, scorer.graph, scorer.history, baselines), part, at)
    return scores


def _calibrated(scores: NDArray[np.float32], rows: Scorable, budget: AlertBudget, period_us: int) -> Calibrated:
    known = ~np.isnan(scores)
    if not known.any():
        raise NotEnoughDataError("baselines", "need two groups, and reference rows of calibration series", 0)
    return calibrate(scores[known], rows.rows.take(known), budget, period_us)


def _threshold(found: Calibrated) -> StratumThreshold:
    return StratumThreshold(found.threshold, found.alpha, found.calibration, found.budget)


def _last(rows: Rows, ages: tuple[int, ...]) -> NDArray[np.bool_]:
    """(n,) True for the last rows of each series, as many as its turn in ``ages`` says."""
    series, place = np.unique(rows.series, return_inverse=True)
    counts = np.bincount(place)
    after = np.cumsum(counts)[place] - np.arange(len(rows))  # rows of the series from here on, this one included
    return np.asarray(after <= np.array(ages)[np.arange(len(series)) % len(ages)][place])


def _folds(rows: Rows, reference: Rows) -> Iterator[tuple[NDArray[np.bool_], NDArray[np.bool_]]]:
    """(n,) rows of one fold of groups, and (m,) reference rows of the other folds."""
    groups = np.unique(np.r_[rows.independent, reference.independent])
    for number in range(_FOLDS):
        fold = groups[number::_FOLDS]
        yield np.isin(rows.independent, fold), ~np.isin(reference.independent, fold)


def _states(rows: Rows) -> list[str | None] | None:
    if rows.regimes is None:
        return None
    return [rows.regime_names[code] if code >= 0 else None for code in rows.regimes]
