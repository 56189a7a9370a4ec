"""Young and unseen rows keep the alert budget by thresholds of their own."""

import numpy as np
import pytest

from evaluation.calibration import AlertBudget
from features.errors import NotEnoughDataError
from features.history import NO_HISTORY, scorable
from features.rows import Rows
from serving.baselines import make_baselines
from serving.bundle import make_scorer
from serving.manifest import RobustScaling
from training.baselines import BaselineRules, fit_baselines
from training.export.dense import export_autoencoder
from training.strata import calibrate_strata, score_as_unseen, score_as_young

STEP = 300_000_000
RULES = BaselineRules(min_rows=100, min_hours=5.0)
BUDGET = AlertBudget(row_rate=0.05, by_rows=True)


def rows_of(n: int, series: int, start: int, seed: int) -> Rows:
    """Series around their own level, one row each five minutes."""
    rng = np.random.default_rng(seed)
    level = np.random.default_rng(99).normal(0, 10, series)
    codes = np.repeat(np.arange(series), n)
    times = np.tile((start + np.arange(n)) * STEP, series)
    values = level[codes][:, None] + rng.normal(size=(len(codes), 2))
    return Rows(("a", "b"), values, codes, tuple(f"s{k:02d}" for k in range(series)), times, None)


def squared_norm() -> bytes:
    """A graph whose score is the mean square of what the transform gives: the network is zero."""
    zero = [
        (np.zeros((1, 2), np.float32), np.zeros(1, np.float32)),
        (np.zeros((2, 1), np.float32), np.zeros(2, np.float32)),
    ]
    return export_autoencoder(zero, ())


def scorer_of(reference: Rows):  # type: ignore[no-untyped-def]
    baselines = make_baselines(fit_baselines(reference, RULES))
    return make_scorer(RobustScaling([0.0, 0.0], [1.0, 1.0], 1e6), squared_norm(), None, baselines)


def test_each_stratum_has_a_threshold_that_keeps_its_budget() -> None:
    reference, calibration, later = rows_of(400, 40, 0, 1), rows_of(300, 40, 500, 2), rows_of(300, 40, 900, 3)
    scorer = scorer_of(reference)
    own, strata = calibrate_strata(scorer, reference, scorable(calibration, NO_HISTORY), RULES, BUDGET, STEP)
    assert own.threshold < strata.young.threshold
    assert strata.unseen.threshold != own.threshold
    known = scorable(later, NO_HISTORY)
    young = score_as_young(scorer, reference, known, RULES)
    unseen = score_as_unseen(scorer, reference, known, RULES)
    for scores, threshold in ((young, strata.young.threshold), (unseen, strata.unseen.threshold)):
        assert (scores >= threshold).mean() == pytest.approx(0.05, abs=0.03)
    assert (young >= own.threshold).mean() > 0.08  # what the threshold of mature series would do to young ones


def test_a_series_is_scored_as_unseen_without_its_own_group() -> None:
    reference = rows_of(400, 10, 0, 1)
    far = Rows(
        reference.features,
        np.where(reference.series[:, None] == 3, reference.values + 1e6, reference.values),
        reference.series, reference.series_names, reference.times, None,
    )  # fmt: skip
    scores = score_as_unseen(scorer_of(far), far, scorable(far, NO_HISTORY), RULES)
    assert np.median(scores[far.series == 3]) > 1e6
    assert np.median(scores[far.series != 3]) < 100


def test_one_group_cannot_tell_what_an_unseen_one_would_do() -> None:
    reference = rows_of(400, 1, 0, 1)
    with pytest.raises(NotEnoughDataError, match="two groups"):
        calibrate_strata(scorer_of(reference), reference, scorable(reference, NO_HISTORY), RULES, BUDGET, STEP)
