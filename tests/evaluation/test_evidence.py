"""Every figure of a window is a count over what it says, with an interval, or a reason why there is none."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score, roc_auc_score

from evaluation.clusters import NOT_AVAILABLE
from evaluation.evidence import Evidence, judge_window
from evaluation.spans import false_onsets, labelled_spans
from features.rows import UNKNOWN, Rows

MINUTE = 60 * 1_000_000
PERIOD = 10 * MINUTE
MERGE = 60 * MINUTE
DAY_ROWS = 144


def fleet(groups: int = 12, days: int = 2, *, timed: bool = True, labelled: bool = True) -> Rows:
    """One series a group, one row each ten minutes; the last hour of each series is an episode."""
    n = groups * days * DAY_ROWS
    times = np.tile(np.arange(days * DAY_ROWS) * PERIOD, groups)
    labels = np.tile(np.arange(days * DAY_ROWS) >= days * DAY_ROWS - 6, groups).astype(np.int8)
    codes = np.repeat(np.arange(groups), days * DAY_ROWS)
    names = tuple(map(str, range(groups)))
    return Rows(("x",), np.zeros((n, 1)), codes, names, times if timed else None, labels if labelled else None)


def flagged_at(rows: Rows, *at: int) -> NDArray[np.bool_]:
    found = np.zeros(len(rows), bool)
    found[list(at)] = True
    return found


def judge(rows: Rows, flagged: NDArray[np.bool_], seed: int = 0) -> Evidence:
    scores = np.random.default_rng(seed).normal(0, 1, len(rows)).astype(np.float32) + rows.anomalous + flagged
    return judge_window(scores, flagged, rows, merge_us=MERGE, period_us=PERIOD, seed=seed)


def test_figures_count_rows_onsets_episodes_and_delays() -> None:
    rows, end = fleet(), 2 * DAY_ROWS
    found = judge(rows, flagged_at(rows, 10, 11, end - 4, 2 * end - 6, 2 * end + 5))
    assert found["alert_rate"].value == 5 / len(rows)
    assert found["onsets"].value == pytest.approx(4 / 24)
    assert found["false_onsets"].value == pytest.approx(2 / (24 * (end - 6) / end))
    assert found["episode_recall"].value == 2 / 12
    assert found["median_delay"].value == 600.0
    assert found.episodes is not None
    assert (found.episodes.labelled, found.episodes.detected) == (12, 2)


def test_each_figure_lies_in_its_interval() -> None:
    rows = fleet(30)
    found = judge(rows, np.random.default_rng(1).random(len(rows)) < 0.01 + 0.2 * rows.anomalous)
    for figure in found.figures:
        assert figure.interval is not None
        assert figure.value is not None
        assert figure.interval.low <= figure.value <= figure.interval.high
        assert (figure.interval.clusters, figure.interval.level, figure.reason) == (30, 0.95, "")


def test_an_alert_in_an_episode_is_not_spread_over_it() -> None:
    rows, end = fleet(), 2 * DAY_ROWS
    one, scores = flagged_at(rows, end - 1), np.zeros(len(rows), np.float32)
    found = judge_window(scores, one, rows, merge_us=MERGE, period_us=PERIOD)
    assert found["alert_rate"].value == 1 / len(rows)
    assert found["auroc"].value == 0.5


def test_a_run_that_touches_an_episode_or_begins_where_nobody_knows_is_no_false_onset() -> None:
    labels = np.array([0, 0, 1, 0, 0, UNKNOWN, UNKNOWN, 0, 0, 0], np.int8)
    rows = Rows(("x",), np.zeros((10, 1)), np.zeros(10, np.int64), ("a",), np.arange(10) * MERGE // 2, labels)
    flagged = flagged_at(rows, 1, 2, 4, 6, 7, 9)
    starts = flagged_at(rows, 1, 4, 6, 9)
    assert np.flatnonzero(false_onsets(starts, flagged, rows)).tolist() == [4, 9]


def test_rankings_are_taken_on_fully_labelled_spans_alone() -> None:
    labels = np.full(40, UNKNOWN, np.int8)
    labels[[2, 30]] = 1, 0  # looked at one by one
    labels[5:20] = 0
    labels[15:20] = 1
    rows = Rows(("x",), np.zeros((40, 1)), np.zeros(40, np.int64), ("a",), np.arange(40) * PERIOD, labels)
    assert np.flatnonzero(labelled_spans(rows)).tolist() == list(range(5, 20))
    scores = np.random.default_rng(0).normal(0, 1, 40).astype(np.float32)
    found = judge_window(scores, scores > 1, rows, merge_us=MERGE, period_us=PERIOD)
    truth = labels[5:20] == 1
    assert found.judged_rows == 15
    assert found["auroc"].value == roc_auc_score(truth, scores[5:20])
    assert found["average_precision"].value == average_precision_score(truth, scores[5:20])


def test_a_short_series_that_is_labelled_throughout_counts_and_so_does_every_known_row_without_time() -> None:
    labels = np.array([0, 1, 0, UNKNOWN, 1], np.int8)
    rows = Rows(("x",), np.zeros((5, 1)), np.array([0, 0, 0, 1, 1]), ("a", "b"), np.arange(5), labels)
    assert labelled_spans(rows).tolist() == [True, True, True, False, False]
    assert labelled_spans(replace(rows, times=None)).tolist() == [True, True, True, False, True]


def test_without_labels_the_reason_stands_where_the_figure_would() -> None:
    rows = fleet(labelled=False)
    found = judge(rows, flagged_at(rows, 3))
    silent = {figure.name: figure.reason for figure in found.figures if figure.value is None}
    assert set(silent) == {"episode_recall", "median_delay", "false_onsets", "auroc", "average_precision"}
    assert set(silent.values()) == {"no row has a label"}


def test_without_time_onsets_and_episodes_are_unknown_and_rankings_are_not() -> None:
    found = judge(fleet(timed=False), flagged_at(fleet(), 3))
    silent = {figure.name for figure in found.figures if figure.reason == "the table has no time"}
    assert silent == {"onsets", "episode_recall", "median_delay", "false_onsets"}
    assert found["auroc"].interval is not None


def test_with_few_groups_and_days_figures_stand_without_an_interval() -> None:
    rows = fleet(groups=3)
    found = judge(rows, flagged_at(rows, 3, 2 * DAY_ROWS - 1))
    assert {figure.reason for figure in found.figures} == {NOT_AVAILABLE}
    assert all(figure.value is not None and figure.interval is None for figure in found.figures)


def test_with_few_groups_and_many_days_intervals_are_by_days() -> None:
    rows = fleet(groups=3, days=5)
    interval = judge(rows, flagged_at(rows, 3, 400, 1_000))["onsets"].interval
    assert interval is not None
    assert (interval.method, interval.clusters) == ("cluster bootstrap by days, 1,000 replicates", 15)
