"""From rows to what a card shows: exact counts, bounded length, gaps that stay gaps."""

import numpy as np
import pytest

from evaluation.episodes import list_episodes
from evaluation.pages.card.gather.scores import bin_scores, trace_curve
from evaluation.pages.card.gather.series import (
    QUARANTINED,
    UNNAMED,
    count_by_series,
    episode_kinds,
    recall_by_kind,
    rows_between,
)
from evaluation.pages.card.gather.timelines import (
    Event,
    ScoredRows,
    alert_events,
    choose,
    draw_timelines,
    episode_events,
)
from evaluation.pages.card.model import Driver, KindRecall, SeriesCount
from features.rows import Rows
from tests.evaluation.test_episodes import flags, lost, rows_of

MINUTE = 60_000_000
HOUR = 60 * MINUTE


def scored(rows: Rows, scores: list[float], threshold: float = 5.0) -> ScoredRows:
    values = np.array(scores, np.float32)
    return ScoredRows(rows, values, values >= threshold, np.full(len(rows), threshold))


def no_reasons(at: np.ndarray) -> tuple[tuple[Driver, ...], ...]:
    return tuple((Driver(f"row {k}", 1.0),) for k in at)


@pytest.mark.parametrize("skewed", [False, True])
def test_bins_hold_every_row_once_and_from_the_threshold_on_alert_rows_alone(skewed: bool) -> None:
    rng = np.random.default_rng(0)
    scores = (rng.lognormal(0, 2, 5_000) if skewed else rng.uniform(0.3, 0.8, 5_000)).astype(np.float32)
    labels = rng.choice(np.array([0, 1, -1], np.int8), 5_000)
    threshold = float(np.sort(scores)[-137])
    bins = bin_scores(scores, labels, threshold)
    assert bins.scale == ("log" if skewed else "linear")
    assert [sum(n) for n in (bins.normal, bins.anomalous, bins.unknown)] == [(labels == k).sum() for k in (0, 1, -1)]
    at = bins.edges.index(threshold)
    assert sum(sum(n[at:]) for n in (bins.normal, bins.anomalous, bins.unknown)) == 137
    assert all(left < right for left, right in zip(bins.edges, bins.edges[1:], strict=False))


@pytest.mark.parametrize("scores", [[0.5], [0.5, 0.5], [0.0, 1e30], [1e-30, 1.0, 1e30]])
@pytest.mark.parametrize("threshold", [-1.0, 0.5, 2e30])
def test_bins_exist_for_any_scores(scores: list[float], threshold: float) -> None:
    bins = bin_scores(np.array(scores, np.float32), None, threshold)
    assert sum(bins.unknown) == len(scores)
    assert not any(bins.normal + bins.anomalous)


def test_a_curve_has_at_most_200_points_and_ends_where_all_is_found() -> None:
    rng = np.random.default_rng(1)
    rows = rows_of([(rng.random(3_000) < 0.1).astype(int).tolist()])
    scores = (rows.anomalous + rng.normal(0, 0.6, 3_000)).astype(np.float32)
    curve = trace_curve(scores, scores > 1, rows)
    assert curve is not None
    assert len(curve.recall) <= 200
    assert (curve.recall[0], curve.recall[-1]) == (0.0, 1.0)
    assert curve.recall_at == pytest.approx((scores > 1)[rows.anomalous].mean())
    assert curve.precision_at == pytest.approx(rows.anomalous[scores > 1].mean())


def test_there_is_no_curve_without_both_labels_and_no_precision_without_alert_rows() -> None:
    rows = rows_of([[0] * 20])
    assert trace_curve(np.zeros(20, np.float32), flags(rows), rows) is None
    mixed = rows_of([[0] * 20 + [1]])
    curve = trace_curve(np.arange(21, dtype=np.float32), flags(mixed), mixed)
    assert curve is not None
    assert (curve.recall_at, curve.precision_at) == (0.0, None)


def test_onsets_are_counted_by_series_the_top_ones_apart() -> None:
    rows = rows_of([[0] * 10 for _ in range(25)])
    flagged = flags(rows, *[10 * k for k in range(24)], 5, 9)  # s0 has three, s1 to s23 one, s24 none
    found = count_by_series(flagged, rows, 2 * MINUTE)
    assert found.top[0] == SeriesCount("s0", 3)
    assert (found.events, found.series, found.silent) == (26, 25, 1)
    assert (len(found.top), found.rest_series, found.rest_events) == (20, 4, 4)
    timeless = count_by_series(flagged, rows_of([[0] * 10 for _ in range(25)], times=False), MINUTE)
    assert timeless.unit == "alert rows"


def test_the_kind_of_an_episode_is_the_first_that_its_rows_name() -> None:
    rows = rows_of([[0, 1, 1, 0], [1, 1, 0, 0]])
    episodes = list_episodes(rows, flags(rows, 2), lost(("s1", 9, False)))
    assert episodes is not None
    kinds = np.array([None, None, "gain", None, None, None, None, None], object)
    named = episode_kinds(episodes, rows, kinds)
    assert named == ("gain", UNNAMED, QUARANTINED)
    assert recall_by_kind(episodes, named) == (
        KindRecall("gain", 1, 1),
        KindRecall(UNNAMED, 1, 0),
        KindRecall(QUARANTINED, 1, 0),
    )


def test_rows_of_a_stretch_include_both_ends_and_no_other_series() -> None:
    rows = rows_of([[0] * 5, [0] * 5])
    assert rows_between(rows, 1, MINUTE, 3 * MINUTE) == slice(6, 9)
    assert rows_between(rows, 0, 20 * MINUTE, 30 * MINUTE) == slice(5, 5)


def test_episodes_are_detected_or_missed_and_runs_outside_them_are_false_alerts() -> None:
    rows = rows_of([[0, 1, 1, 0, 0, 0, 1, 0]])
    found = scored(rows, [0, 9, 0, 0, 7, 0, 0, 0])
    episodes = list_episodes(rows, found.flagged)
    assert episodes is not None
    events = episode_events(found, episodes, ("gain", "gain")) + alert_events(found, 2 * MINUTE)
    assert [(e.outcome, e.first_us // MINUTE, e.last_us // MINUTE) for e in events] == [
        ("detected", 1, 2),
        ("missed", 6, 6),
        ("false alert", 4, 4),
    ]


def test_without_labels_every_run_of_alert_rows_is_an_alert() -> None:
    rows = Rows(("x",), np.zeros((4, 1)), np.zeros(4, np.int64), ("s",), np.arange(4) * MINUTE, None)
    events = alert_events(scored(rows, [9, 9, 0, 8]), 3 * MINUTE)
    assert [(e.outcome, e.weight) for e in events] == [("alert", 9.0)]


def test_every_machine_is_shown_before_a_second_look_at_one() -> None:
    def event(unit: int, weight: float) -> Event:
        return Event("detected", unit, 0, 0, "", unit, weight)

    chosen = choose([event(0, 9), event(0, 8), event(0, 7), *(event(k, 1 / k) for k in range(1, 6))])
    assert [(e.unit, e.weight) for e in chosen] == [(0, 9), (1, 1), (2, 0.5), (3, 1 / 3), (4, 0.25), (5, 0.2)]


def test_a_timeline_keeps_the_highest_score_of_each_point_and_gaps() -> None:
    n = 1_000
    minutes = np.r_[np.arange(n), n + 300 + np.arange(n)]
    labels = np.zeros(2 * n, np.int8)
    labels[n - 400 : n] = 1
    rows = Rows(("x",), np.zeros((2 * n, 1)), np.zeros(2 * n, np.int64), ("s",), minutes * MINUTE, labels)
    values = np.ones(2 * n)
    values[n - 7] = 50.0
    found = scored(rows, values.tolist())
    episodes = list_episodes(rows, found.flagged)
    assert episodes is not None
    (shown,) = draw_timelines(episode_events(found, episodes, ("gain",)), found, MINUTE, no_reasons)
    assert len(shown.scores) <= 120
    assert max(score for score in shown.scores if score is not None) == 50.0
    assert [shown.scores[k] for k in shown.alerts] == [50.0]
    assert None not in shown.scores[: len(shown.scores) // 2]
    assert shown.end_h == pytest.approx(399 / 60, abs=1e-3)
    assert shown.delay_h == pytest.approx(393 / 60, abs=1e-3)
    assert shown.drivers == (Driver(f"row {n - 7}", 1.0),)


def test_a_gap_in_the_rows_is_a_gap_in_the_line() -> None:
    minutes = np.r_[np.arange(30), 60 + np.arange(30)]
    rows = Rows(("x",), np.zeros((60, 1)), np.zeros(60, np.int64), ("s",), minutes * MINUTE, None)
    found = scored(rows, [9.0] + [1.0] * 59)
    (shown,) = draw_timelines(alert_events(found, HOUR), found, MINUTE, no_reasons)
    assert shown.scores[30:60] == (None,) * 30
    assert shown.scores[60] == 1.0


def test_a_missed_episode_has_no_delay_and_no_reasons() -> None:
    rows = rows_of([[0, 1, 1, 0]])
    found = scored(rows, [1, 1, 1, 1])
    episodes = list_episodes(rows, found.flagged)
    assert episodes is not None
    (shown,) = draw_timelines(episode_events(found, episodes, ("gain",)), found, MINUTE, no_reasons)
    assert (shown.outcome, shown.delay_h, shown.drivers, shown.alerts) == ("missed", None, (), ())


def test_a_window_without_an_alert_row_has_no_run_of_them() -> None:
    rows = rows_of([[0, 1, 0]])
    assert alert_events(scored(rows, [1, 1, 1]), HOUR) == []
