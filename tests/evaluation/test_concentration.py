"""Alerts from a few series, features that tell the labels, and scores that depend on the seed."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from evaluation.concentration import concentration, separations
from evaluation.stability import stability
from features.rows import UNKNOWN, Rows

HOUR = 3600 * 1_000_000


def fleet(series: int = 20, labels: np.ndarray | None = None) -> Rows:
    n = series * 100
    codes, times = np.repeat(np.arange(series), 100), np.tile(np.arange(100) * HOUR, series)
    return Rows(("x",), np.zeros((n, 1)), codes, tuple(map(str, range(series))), times, labels)


def test_the_share_is_that_of_the_worst_tenth_of_the_series() -> None:
    rows, flagged = fleet(), np.zeros(2_000, bool)
    flagged[:80:2] = True  # 40 onsets of the first series
    flagged[100:2_000:100] = True  # one of each other
    found = concentration(flagged, rows, HOUR, 0)
    assert found is not None
    assert (found.share, found.series, found.events) == (41 / 59, 20, 59)
    assert 0.15 < found.by_chance < 0.4


def test_alerts_in_labelled_episodes_lie_where_the_fault_does() -> None:
    labels = np.zeros(2_000, np.int8)
    labels[:100] = 1
    flagged = np.zeros(2_000, bool)
    flagged[:80:2] = True
    flagged[150::100] = True
    found = concentration(flagged, fleet(labels=labels), HOUR, 0)
    assert found is not None
    assert found.events == 19


def test_a_few_events_lie_in_a_few_series_by_chance() -> None:
    flagged = np.zeros(2_000, bool)
    flagged[[5, 105]] = True
    found = concentration(flagged, fleet(), HOUR, 0)
    assert found is not None
    assert found.share == found.by_chance == 1.0


def test_fewer_than_ten_series_or_no_event_say_nothing() -> None:
    assert concentration(np.ones(900, bool), fleet(9), HOUR, 0) is None
    assert concentration(np.zeros(2_000, bool), fleet(), HOUR, 0) is None


def test_a_feature_alone_is_judged_in_its_better_direction_on_known_labels() -> None:
    rng = np.random.default_rng(0)
    labels = rng.choice([0, 1, UNKNOWN], 500).astype(np.int8)
    values = np.column_stack([rng.normal(0, 1, 500), rng.normal(0, 1, 500) - labels, (labels != 1) * 1.0, np.ones(500)])
    found = separations(values, labels, ("noise", "against", "leak", "constant"))
    known = labels >= 0
    assert list(found)[:2] == ["leak", "against"]
    assert found["leak"] == 1.0
    assert found["constant"] == 0.5
    assert found["against"] == pytest.approx(1 - roc_auc_score(labels[known], values[known, 1]))


def test_a_handful_of_labels_says_nothing() -> None:
    labels = np.r_[np.ones(9, np.int8), np.zeros(100, np.int8)]
    assert separations(labels[:, None].astype(float), labels, ("x",)) == {}
    assert separations(np.zeros((5, 1)), None, ("x",)) == {}


def test_fits_of_other_seeds_agree_by_rank_and_in_their_top_rows() -> None:
    scores = np.random.default_rng(1).normal(0, 1, 1_000).astype(np.float32)
    same = stability(np.array([scores, 2 * scores + 1, np.exp(scores)]))
    assert (same.seeds, same.overlap, same.lowest_overlap) == (3, 1.0, 1.0)
    assert same.spearman == pytest.approx(1.0)
    turned = stability(np.array([scores, -scores]))
    assert turned.spearman == pytest.approx(-1.0)
    assert turned.overlap == 0.0
    assert stability(np.array([scores, np.zeros(1_000)])).spearman == 0.0
