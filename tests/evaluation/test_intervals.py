"""Intervals hold a known truth as often as they say, by groups or by days, and say when there is none."""

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score, roc_auc_score

from evaluation.clusters import Clustering, cluster
from evaluation.intervals import Bootstrap, bootstrap, effective, ratio_interval
from evaluation.ranking import median_interval, rank, ranking_intervals
from features.rows import Rows

DAY = 86_400 * 1_000_000
Drawn = tuple[NDArray[np.float64], NDArray[np.float64]]


def groups(k: int) -> Clustering:
    return Clustering("groups", np.arange(k), np.arange(k), k, 0)


def table(groups: int, days: int, timed: bool = True) -> Rows:
    codes = np.repeat(np.arange(groups), days * 4)
    times = np.tile(np.arange(days * 4) * DAY // 4, groups) if timed else None
    names = tuple(map(str, range(groups)))
    return Rows(("x",), np.zeros((len(codes), 1)), codes, names, times, None)


def detections(k: int, rng: np.random.Generator) -> Drawn:
    """Detected and all episodes by group: faults of a few episodes each, which are detected together or not at all."""
    found, total = np.zeros(k), np.zeros(k)
    for group in np.repeat(np.arange(k), rng.poisson(1.0, k)):
        episodes = rng.integers(1, 10)
        total[group] += episodes
        found[group] += rng.binomial(episodes, rng.beta(1, 0.7))
    return found, total


def alarms(k: int, rng: np.random.Generator) -> Drawn:
    """Onsets and series-days by group, of which some alarm far more often than others; 0.1 a series-day on average."""
    days = 9 * rng.uniform(1, 3, k)
    return rng.poisson(rng.gamma(1.0, 0.1, k) * days).astype(np.float64), days


def changes(k: int, rng: np.random.Generator) -> Drawn:
    """Episodes won less lost, and all episodes, by group: a challenger that is worse by 0.05."""
    change, total = np.zeros(k), np.zeros(k)
    for group in np.repeat(np.arange(k), rng.poisson(1.0, k)):
        episodes = rng.integers(1, 10)
        seen = rng.random(episodes) < rng.beta(1, 0.7)
        lost = seen & (rng.random(episodes) < rng.beta(0.3, 1.7))
        won = ~seen & (rng.random(episodes) < rng.beta(0.186, 1.814))
        change[group] += won.sum() - lost.sum()
        total[group] += episodes
    return change, total


RATIOS = {
    "recall": (detections, "share", 1 / 1.7),
    "onsets": (alarms, "rate", 0.1),
    "difference of recalls": (changes, "difference", -(1 / 1.7) * 0.15 + (0.7 / 1.7) * 0.093),
}


CAUTIOUS = ("difference of recalls",)
"""Covered more often than promised while groups are few, so that a loss nobody saw does not pass."""


def coverage(name: str, k: int, level: float, windows: int) -> float:
    draw, scale, truth = RATIOS[name]
    rng, held = np.random.default_rng(5), 0
    for window in range(windows):
        found = ratio_interval(*draw(k, rng), bootstrap(groups(k), window, level=level, replicates=400), scale)
        held += found is None or found.low <= truth <= found.high
    return held / windows


@pytest.mark.parametrize("name", ["recall", "onsets"])
def test_a_95_percent_interval_of_a_dozen_groups_holds_the_truth_in_90_to_98_percent(name: str) -> None:
    assert 0.9 <= coverage(name, 12, 0.95, 250) <= 0.98


@pytest.mark.parametrize("k", [12, 60])
def test_a_paired_90_percent_interval_holds_the_truth_in_90_percent_or_more(k: int) -> None:
    assert coverage("difference of recalls", k, 0.9, 250) >= 0.9


@pytest.mark.slow
@pytest.mark.parametrize("k", [12, 24, 60])
@pytest.mark.parametrize(("level", "lowest"), [(0.95, 0.9), (0.9, 0.86)])
@pytest.mark.parametrize("name", RATIOS)
def test_ratios_are_covered_at_both_levels_and_by_any_number_of_groups(
    name: str, level: float, lowest: float, k: int
) -> None:
    assert lowest <= coverage(name, k, level, 1_000) <= (1.0 if name in CAUTIOUS else 0.98)


def ranked(k: int, rng: np.random.Generator) -> tuple[NDArray[np.float32], NDArray[np.bool_], NDArray[np.int64]]:
    """Scores, truth and group of rows; groups differ in level, and in how far their anomalies stand out."""
    counts = rng.integers(30, 60, k), np.where(rng.random(k) < 0.6, rng.integers(2, 40, k), 0)
    codes = np.concatenate([np.repeat(np.arange(k), count) for count in counts])
    truth = np.repeat([False, True], [count.sum() for count in counts])
    scores = rng.normal(0, 0.3, k)[codes] + rng.normal(0, 1, len(codes)) + truth * rng.normal(1.5, 0.5, k)[codes]
    return scores.astype(np.float32), truth, codes


def ranking_coverage(k: int, windows: int) -> NDArray[np.float64]:
    rng = np.random.default_rng(6)
    scores, truth, _ = ranked(2_000, rng)
    true = roc_auc_score(truth, scores), average_precision_score(truth, scores)
    held = np.zeros(2)
    for window in range(windows):
        scores, truth, codes = ranked(k, rng)
        values = float(roc_auc_score(truth, scores)), float(average_precision_score(truth, scores))
        found = ranking_intervals(scores, truth, codes, bootstrap(groups(k), window, replicates=300), values)
        held += [part is not None and part.low <= at <= part.high for part, at in zip(found, true, strict=True)]
    return held / windows


@pytest.mark.parametrize(("k", "windows"), [(12, 100), pytest.param(30, 300, marks=pytest.mark.slow)])
def test_auroc_and_average_precision_are_covered(k: int, windows: int) -> None:
    held = ranking_coverage(k, windows)
    assert (held >= 0.9).all()
    assert (held <= 0.98).all()


@pytest.mark.parametrize(("k", "windows"), [(12, 150), pytest.param(30, 1_000, marks=pytest.mark.slow)])
def test_a_median_delay_is_covered(k: int, windows: int) -> None:
    rng, held = np.random.default_rng(7), 0
    for window in range(windows):
        codes = np.repeat(np.arange(k), rng.poisson(1.0, k) * rng.integers(1, 9, k))
        delays = np.exp(rng.normal(0, 0.5, k)[codes] + rng.normal(0, 1, len(codes)))
        found = median_interval(delays, codes, bootstrap(groups(k), window, replicates=400))
        held += found is None or found.low <= 1 <= found.high
    assert 0.9 <= held / windows <= 0.985


@pytest.mark.parametrize("windows", [150, pytest.param(1_000, marks=pytest.mark.slow)])
def test_by_days_of_few_groups_an_alert_rate_that_lasts_for_hours_is_covered(windows: int) -> None:
    rng, rows, held = np.random.default_rng(9), table(3, 20), 0
    days = cluster(rows, 0)
    assert days is not None
    codes, truth = days.of(rows.independent, rows.times), np.exp(-3.5 + 0.5)  # mean of a lognormal rate
    for window in range(windows):
        state, flagged = np.zeros(3), np.empty((3, 80))
        for step in range(80):  # six hours each, remembered for about as long
            state = 0.37 * state + rng.normal(0, 0.93, 3)
            flagged[:, step] = rng.random(3) < np.exp(state - 3.5)
        by = bootstrap(days, window, replicates=300)
        found = ratio_interval(by.sums(flagged.ravel(), codes), by.sums(np.ones(240), codes), by, "share")
        held += found is not None and found.low <= truth <= found.high
    assert 0.9 <= held / windows <= 0.98


def test_ten_groups_are_resampled_fewer_by_their_days() -> None:
    by_group, by_day = cluster(table(10, 2), 0), cluster(table(3, 4), 0)
    assert by_group is not None
    assert by_day is not None
    assert (by_group.by, by_group.count, by_day.by, by_day.count) == ("groups", 10, "days", 12)


def test_rows_of_one_day_of_one_group_share_a_cluster_and_no_others_do() -> None:
    rows = table(3, 4)
    found = cluster(rows, 0)
    assert found is not None
    codes = found.of(rows.independent, rows.times)
    assert len(np.unique(codes)) == 12
    assert (codes.reshape(12, 4) == codes.reshape(12, 4)[:, :1]).all()


@pytest.mark.parametrize("rows", [table(3, 3), table(9, 4, timed=False)])
def test_without_ten_groups_or_days_of_them_there_is_no_interval(rows: Rows) -> None:
    assert cluster(rows, 0) is None


def test_many_groups_are_joined_so_that_work_stays_bounded() -> None:
    found = cluster(table(1_000, 1), 0)
    assert found is not None
    assert found.count == 200
    assert np.bincount(found.of(np.arange(1_000), None)).tolist() == [5] * 200


def test_where_every_group_agrees_the_bound_is_that_of_so_many_groups() -> None:
    by, ones = bootstrap(groups(20), 0), np.ones(20)
    all_found, none_found = ratio_interval(ones, ones, by, "share"), ratio_interval(0 * ones, ones, by, "share")
    assert all_found is not None
    assert none_found is not None
    assert (all_found.low, all_found.high) == (pytest.approx(0.025 ** (1 / 20)), 1.0)
    assert (none_found.low, none_found.high) == (0.0, pytest.approx(1 - 0.025 ** (1 / 20)))


def test_a_rate_of_no_events_has_the_poisson_bound() -> None:
    found = ratio_interval(np.zeros(20), np.full(20, 5.0), bootstrap(groups(20), 0), "rate")
    assert found is not None
    assert (found.low, found.high) == (0.0, pytest.approx(-np.log(0.025) / 100))


def test_what_lies_in_one_group_alone_has_no_interval() -> None:
    total = np.r_[30.0, np.zeros(19)]
    assert effective(total) == 1
    assert ratio_interval(total / 2, total, bootstrap(groups(20), 0), "share") is None


def test_the_same_seed_gives_the_same_interval() -> None:
    drawn = detections(30, np.random.default_rng(0))
    once, again = (ratio_interval(*drawn, bootstrap(groups(30), 4), "share") for _ in range(2))
    assert once == again


def test_rankings_of_a_replicate_are_those_of_its_rows() -> None:
    rng = np.random.default_rng(8)
    scores, truth, codes = ranked(12, rng)
    scores = scores.round(1)
    weights = rng.multinomial(12, np.full(12, 1 / 12), size=5).astype(np.float64)
    found = rank(scores, truth, codes, Bootstrap(groups(12), weights, 0.95))
    for row, auroc, precision in zip(weights, found.auroc, found.precision, strict=True):
        times = row[codes]
        assert auroc == pytest.approx(roc_auc_score(truth, scores, sample_weight=times))
        assert precision == pytest.approx(average_precision_score(truth, scores, sample_weight=times))
