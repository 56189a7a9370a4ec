"""p-values among calibration rows, and the alert."""

import numpy as np
import pytest

from serving.verdict import Calibration, alerts, p_values

EXACT = Calibration(rows=4, scores=[1.0, 2.0, 3.0], counts=[4, 3, 1])  # the scores 1, 2, 2, 3


@pytest.mark.parametrize(
    ("score", "at_least"), [(0.0, 4), (1.0, 4), (1.5, 3), (2.0, 3), (2.5, 1), (3.0, 1), (3.5, 0), (np.inf, 0)]
)
def test_a_p_value_counts_calibration_scores_at_or_above(score: float, at_least: int) -> None:
    assert p_values(EXACT, [score])[0] == (1 + at_least) / 5


def test_no_p_value_is_zero_or_above_one_and_they_fall_with_the_score() -> None:
    found = p_values(EXACT, np.linspace(-5, 5, 101))
    assert found.min() == 1 / 5
    assert found.max() == 1.0
    assert np.all(np.diff(found) <= 0)


def test_thinned_scores_never_give_a_smaller_p_value() -> None:
    thinned = Calibration(rows=4, scores=[1.0, 3.0], counts=[4, 3])
    asked = np.linspace(0, 4, 41)
    assert np.all(p_values(thinned, asked) >= p_values(EXACT, asked))


def test_a_score_at_the_threshold_is_an_alert() -> None:
    threshold = np.float32(0.1)
    below = np.nextafter(threshold, np.float32(0))
    assert alerts(float(threshold), np.array([below, threshold, 1], np.float32)).tolist() == [False, True, True]


@pytest.mark.parametrize(("scores", "counts"), [([1.0, 2.0], [2]), ([2.0, 1.0], [2, 1]), ([1.0, 1.0], [2, 1])])
def test_calibration_scores_must_ascend_and_have_one_count_each(scores: list[float], counts: list[int]) -> None:
    with pytest.raises(ValueError, match="ascend strictly and have one count each"):
        Calibration(rows=2, scores=scores, counts=counts)
