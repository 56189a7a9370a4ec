"""Figures of one window."""

import numpy as np
import pytest

from evaluation.measures import measure, ranking
from features.rows import UNKNOWN, Rows

HOUR = 3600 * 1_000_000


def test_ranking_of_perfect_and_reversed_scores() -> None:
    scores, labels = np.array([1, 2, 3, 4], np.float32), np.array([0, 0, 1, 1], np.int8)
    assert ranking(scores, labels) == (1.0, 1.0, 0.5)
    assert ranking(-scores, labels)[0] == 0.0


def test_unknown_labels_are_left_out_of_the_ranking() -> None:
    scores = np.array([1, 9, 2, 3, 0], np.float32)
    labels = np.array([0, UNKNOWN, 0, 1, UNKNOWN], np.int8)
    assert ranking(scores, labels) == pytest.approx((1.0, 1.0, 1 / 3))


@pytest.mark.parametrize(
    ("labels", "share"), [(None, None), ([0, 0], 0.0), ([1, 1], 1.0), ([UNKNOWN, UNKNOWN], None), ([1, UNKNOWN], 1.0)]
)
def test_without_both_kinds_of_label_there_is_no_ranking(labels: list[int] | None, share: float | None) -> None:
    given = None if labels is None else np.array(labels, np.int8)
    assert ranking(np.array([1, 2], np.float32), given) == (None, None, share)


def test_onsets_are_counted_per_series_and_day() -> None:
    times = np.tile(np.arange(48) * HOUR, 2)
    rows = Rows(("f",), np.zeros((96, 1)), np.repeat([0, 1], 48), ("a", "b"), times, None)
    flagged = np.zeros(96, bool)
    flagged[[3, 4, 20, 47, 48]] = True
    found = measure(flagged.astype(np.float32), flagged, rows, 2 * HOUR, HOUR)
    assert found.rows == 96
    assert found.alert_rate == pytest.approx(5 / 96)
    assert found.onsets_per_series_day == pytest.approx(4 / 4)
    assert found.onsets_per_day == pytest.approx(4 / 2)


def test_without_time_onsets_are_unknown() -> None:
    rows = Rows(("f",), np.zeros((4, 1)), np.zeros(4, np.int64), ("all",), None, None)
    found = measure(np.arange(4, dtype=np.float32), np.ones(4, bool), rows, HOUR, 0)
    assert (found.onsets_per_series_day, found.onsets_per_day, found.alert_rate) == (None, None, 1.0)
