"""Figures of one window, and which features drive its alerts."""

from dataclasses import replace

import numpy as np
import pytest
from onnx import helper, numpy_helper

from evaluation.measures import drivers, measure, ranking
from features.history import History, expand
from features.rows import UNKNOWN, Rows
from serving.bundle import RobustScaling, make_scorer
from serving.scorer import Scorer
from training.export.model import make_model

HOUR = 3600 * 1_000_000


def weighted_squares(weights: list[float]) -> Scorer:
    """Scores a row by the weighted sum of its squared deviations from 10."""
    tensor = numpy_helper.from_array(np.asarray(weights, np.float32)[:, None], "weights")
    nodes = [
        helper.make_node("Mul", ["features", "features"], ["squared"]),
        helper.make_node("MatMul", ["squared", "weights"], ["score"]),
    ]
    scaling = RobustScaling([10.0] * len(weights), [1.0] * len(weights), 1e6)
    return make_scorer(scaling, make_model(nodes, [tensor], len(weights)))


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


def test_drivers_are_shares_of_the_drop_largest_first() -> None:
    values = np.array([[11.0, 12.0, 10.0]])
    found = drivers(weighted_squares([1, 2, 3]), values, ("a", "b", "unmoved"))
    assert found == pytest.approx({"b": 8 / 9, "a": 1 / 9})
    assert list(found) == ["b", "a"]


def test_with_history_a_feature_answers_for_all_that_was_made_of_it() -> None:
    scorer = replace(weighted_squares([1, 2, 3, 0]), history=History(1, ("lags",), HOUR))
    values = np.array([[11.0, 12.0]])
    expanded = expand(scorer.history, values, np.array([[[12.0, 10.0]]]))
    assert drivers(scorer, expanded, ("a", "b")) == pytest.approx({"a": 13 / 21, "b": 8 / 21})


def test_every_alert_row_counts_the_same() -> None:
    values = np.array([[1000.0, 10.0], [10.0, 11.0]])
    assert drivers(weighted_squares([1, 1]), values, ("a", "b")) == pytest.approx({"a": 0.5, "b": 0.5})


def test_there_are_no_drivers_without_alerts_or_without_deviation() -> None:
    scorer = weighted_squares([1, 1])
    assert drivers(scorer, np.empty((0, 2)), ("a", "b")) == {}
    assert drivers(scorer, np.full((3, 2), 10.0), ("a", "b")) == {}
