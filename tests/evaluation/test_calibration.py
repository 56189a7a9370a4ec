"""The threshold, its p-value, and what counts as an onset."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.stats import poisson

from evaluation.calibration import AlertBudget, calibrate, count_onsets, series_days, usual_period
from features.errors import NotEnoughDataError
from features.rows import Rows
from serving.verdict import alerts, p_values

MINUTE = 60 * 1_000_000
PERIOD = 60 * MINUTE
MERGE = 150 * MINUTE


def make_rows(n: int, series: int, timed: bool = True, seed: int = 0) -> Rows:
    """``series`` series of ``n`` rows about an hour apart."""
    jitter = np.random.default_rng(seed).integers(0, 30 * MINUTE, n * series)
    times = np.tile(np.arange(n) * PERIOD, series) + jitter if timed else None
    codes = np.repeat(np.arange(series), n)
    return Rows(("f",), np.zeros((n * series, 1)), codes, tuple(map(str, range(series))), times, None)


def random_scores(n: int, seed: int, ties: bool = True) -> NDArray[np.float32]:
    scores = np.random.default_rng(seed).gamma(2, 1, n)
    return (scores.round(1) if ties else scores).astype(np.float32)


def onsets_one_by_one(flagged: NDArray[np.bool_], rows: Rows, merge: int) -> int:
    assert rows.times is not None
    count, last = 0, {}
    for flag, series, time in zip(flagged, rows.series, rows.times, strict=True):
        if flag:
            count += series not in last or time - last[series] >= merge
            last[series] = time
    return count


@pytest.mark.parametrize("seed", range(20))
def test_onsets_are_those_found_one_by_one(seed: int) -> None:
    rows = make_rows(40, 3, seed=seed)
    flagged = np.random.default_rng(seed).random(120) < 0.3
    assert count_onsets(flagged, rows, MERGE) == onsets_one_by_one(flagged, rows, MERGE)


def test_rows_exactly_the_merge_time_apart_are_two_onsets() -> None:
    rows = Rows(("f",), np.zeros((2, 1)), np.zeros(2, np.int64), ("a",), np.array([0, 10]), None)
    both = np.array([True, True])
    assert (count_onsets(both, rows, 10), count_onsets(both, rows, 11)) == (2, 1)


@settings(max_examples=200, deadline=None)
@given(
    scores=st.lists(st.integers(0, 12) | st.floats(0, 1e6, width=32), min_size=9, max_size=80),
    probes=st.lists(st.floats(0, 2e6, width=32), max_size=20),
    rate=st.floats(0.1, 0.9),
)
def test_a_row_is_an_alert_exactly_when_its_p_value_is_at_most_alpha(
    scores: list[float], probes: list[float], rate: float
) -> None:
    given_scores = np.asarray(scores, np.float32)
    found = calibrate(given_scores, make_rows(len(scores), 1, timed=False), AlertBudget(row_rate=rate), 0)
    edge = np.float32(found.threshold)
    asked = np.r_[given_scores, np.asarray(probes, np.float32), edge, np.nextafter(edge, np.float32(-1))]
    np.testing.assert_array_equal(alerts(found.threshold, asked), p_values(found.calibration, asked) <= found.alpha)
    assert found.budget.realised == alerts(found.threshold, given_scores).mean()
    assert found.alpha <= rate + 1e-12


@pytest.mark.parametrize(("n", "rate"), [(5_000, 0.01), (5_000, 0.5), (1_500, 0.9)])
def test_alert_and_p_value_agree_when_scores_are_thinned(n: int, rate: float) -> None:
    scores = random_scores(n, 4, ties=False)
    found = calibrate(scores, make_rows(n, 1, timed=False), AlertBudget(row_rate=rate), 0)
    asked = np.r_[scores, random_scores(1_000, 5, ties=False)]
    p = p_values(found.calibration, asked)
    np.testing.assert_array_equal(alerts(found.threshold, asked), p <= found.alpha)
    exact = (1 + (scores[None, :] >= asked[:, None]).sum(axis=1)) / (1 + n)
    assert np.all(p >= exact)
    np.testing.assert_array_equal(p[p <= found.alpha], exact[p <= found.alpha])


@pytest.mark.parametrize("seed", range(6))
def test_the_threshold_is_the_lowest_before_onsets_first_exceed_the_budget(seed: int) -> None:
    rows = make_rows(240, 12, seed=seed)
    scores = random_scores(len(rows), seed)
    budget = AlertBudget(onsets_per_series_day=0.2, merge_us=MERGE)
    found = calibrate(scores, rows, budget, PERIOD)
    assert found.budget.kind == "onsets_per_series_day"
    days = series_days(rows, PERIOD)
    exceeding = [v for v in np.unique(scores) if onsets_one_by_one(scores >= v, rows, MERGE) > 0.2 * days]
    assert found.threshold == np.nextafter(max(exceeding), np.float32(np.inf))
    realised = onsets_one_by_one(scores >= found.threshold, rows, MERGE) / days
    assert found.budget.realised == pytest.approx(realised)
    assert realised <= 0.2


def test_the_row_threshold_is_the_lowest_that_keeps_the_conformal_rate() -> None:
    scores = random_scores(500, 1, ties=False)
    found = calibrate(scores, make_rows(500, 1, timed=False), AlertBudget(row_rate=0.05), 0)
    lowest = next(v for v in np.sort(scores) if (1 + np.sum(scores >= v)) / 501 <= 0.05)
    np.testing.assert_array_equal(scores >= found.threshold, scores >= lowest)


@pytest.mark.parametrize(
    ("rows", "budget", "reason"),
    [
        (make_rows(240, 12), AlertBudget(by_rows=True), "configured"),
        (make_rows(2_880, 1, timed=False), AlertBudget(), "no time"),
        (make_rows(200, 1), AlertBudget(), "8.3 series-days, fewer than 10"),
        (make_rows(240, 2), AlertBudget(), "a budget of 2.0 onsets, fewer than 10"),
        (make_rows(240, 12), AlertBudget(onsets_per_series_day=24, merge_us=MERGE), "do not exceed"),
    ],
)
def test_rows_are_counted_where_onsets_cannot_be_and_the_reason_is_given(
    rows: Rows, budget: AlertBudget, reason: str
) -> None:
    found = calibrate(random_scores(len(rows), 0), rows, budget, PERIOD)
    assert found.budget.kind == "row_rate"
    assert reason in found.budget.reason


def test_too_few_rows_for_the_rate_are_refused_and_just_enough_are_not() -> None:
    with pytest.raises(NotEnoughDataError, match=r"a row rate of 0\.01 needs at least 99 rows, got 98"):
        calibrate(random_scores(98, 0), make_rows(98, 1, timed=False), AlertBudget(), 0)
    scores = random_scores(99, 0)
    found = calibrate(scores, make_rows(99, 1, timed=False), AlertBudget(), 0)
    assert found.threshold > scores.max()


def test_the_usual_period_is_the_median_step_within_series() -> None:
    times = np.array([0, 5, 10, 100, 1_000_000, 1_000_005])
    rows = Rows(("f",), np.zeros((6, 1)), np.array([0, 0, 0, 0, 1, 1]), ("a", "b"), times, None)
    assert usual_period(rows) == 5
    assert usual_period(make_rows(5, 1, timed=False)) == 0


def test_the_range_of_an_onset_rate_is_that_of_a_poisson_count() -> None:
    rows = make_rows(2_880, 12)  # 10 days each
    scores = random_scores(len(rows), 3)
    found = calibrate(scores, rows, AlertBudget(onsets_per_series_day=0.2, merge_us=MERGE), 300_000_000).budget
    assert found.kind == "onsets_per_series_day"
    days = 120.0
    assert found.exceedances == round(found.realised * days)
    assert poisson.sf(found.exceedances - 1, found.low * days) == pytest.approx(0.05)
    assert poisson.cdf(found.exceedances, found.high * days) == pytest.approx(0.05)


def test_the_range_of_a_row_rate_covers_nine_of_ten_future_rates() -> None:
    inside = 0
    for seed in range(200):
        found = calibrate(random_scores(400, seed), make_rows(400, 1, timed=False), AlertBudget(row_rate=0.05), 0)
        future = (random_scores(50_000, 10_000 + seed) >= found.threshold).mean()
        inside += found.budget.low <= future <= found.budget.high
    assert 0.83 <= inside / 200 <= 0.96


def test_alert_rows_that_follow_each_other_widen_the_range() -> None:
    rows = make_rows(2_000, 1)
    clustered = np.repeat(random_scores(200, 1), 10)
    budget = AlertBudget(row_rate=0.05, by_rows=True, merge_us=MERGE)
    wide = calibrate(clustered, rows, budget, 300_000_000).budget
    narrow = calibrate(random_scores(2_000, 1), make_rows(2_000, 1, timed=False), budget, 0).budget
    assert wide.exceedances < narrow.exceedances / 5
    assert wide.high - wide.low > 2 * (narrow.high - narrow.low)
