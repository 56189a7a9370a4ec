"""Windows in time order, gaps, whole episodes, whole series."""

import numpy as np
import pytest

from features.errors import InputError, NotEnoughDataError
from features.rows import Rows
from features.split import Split, Window, assign

HOUR = 3600 * 1_000_000
QUARTERS = (0.25, 0.25, 0.25, 0.25)


def hourly(n: int, series: int = 1, anomalous: tuple[int, ...] = (), timed: bool = True) -> Rows:
    """``series`` series of ``n`` hourly rows each, in canonical order."""
    labels = np.zeros(n * series, np.int8)
    labels[list(anomalous)] = 1
    names = tuple(f"s{k}" for k in range(series))
    times = np.tile(np.arange(n) * HOUR, series)
    codes = np.repeat(np.arange(series), n)
    return Rows(("f",), np.zeros((n * series, 1)), codes, names, times if timed else None, labels)


def test_windows_follow_each_other_in_time_with_the_given_shares() -> None:
    windows = assign(hourly(100, series=2), Split(QUARTERS, gap_us=0))
    np.testing.assert_array_equal(windows[:100], windows[100:])
    assert np.all(np.diff(windows[:100]) >= 0)
    assert np.bincount(windows).tolist() == pytest.approx([50, 50, 50, 50], abs=2)


def test_the_gap_after_each_cut_is_dropped() -> None:
    rows = hourly(100)
    windows = assign(rows, Split(QUARTERS, gap_us=5 * HOUR))
    assert np.sum(windows == Window.DROPPED) == 15
    assert rows.times is not None
    for earlier, later in zip(list(Window)[1:-1], list(Window)[2:], strict=True):
        distance = rows.times[windows == later].min() - rows.times[windows == earlier].max()
        assert distance > 5 * HOUR


def test_an_episode_across_a_cut_belongs_whole_to_the_later_window() -> None:
    windows = assign(hourly(100, anomalous=(22, 23, 24, 25, 26, 27)), Split(QUARTERS, gap_us=0))
    assert set(windows[22:28]) == {Window.SELECTION}
    assert windows[21] == Window.REFERENCE


def test_an_episode_that_ends_in_the_gap_is_kept_whole() -> None:
    windows = assign(hourly(100, anomalous=(23, 24, 25, 26)), Split(QUARTERS, gap_us=5 * HOUR))
    assert set(windows[23:27]) == {Window.SELECTION}
    assert windows[28] == Window.DROPPED


def test_an_episode_of_another_series_does_not_move_with_it() -> None:
    windows = assign(hourly(100, series=2, anomalous=tuple(range(95, 105))), Split(QUARTERS, gap_us=0))
    assert set(windows[95:100]) == {Window.TEST}
    assert set(windows[100:105]) == {Window.REFERENCE}


def test_between_series_every_series_lies_in_one_window() -> None:
    rows = hourly(10, series=8)
    windows = assign(rows, Split(QUARTERS, between_series=True))
    by_series = windows.reshape(8, 10)
    assert np.all(by_series == by_series[:, :1])
    assert by_series[:, 0].tolist() == [0, 0, 1, 1, 2, 2, 3, 3]


def test_between_series_the_order_is_that_of_the_first_rows() -> None:
    rows = hourly(10, series=4)
    assert rows.times is not None
    later_first = rows.times + (3 - rows.series) * 1000 * HOUR
    windows = assign(
        Rows(rows.features, rows.values, rows.series, rows.series_names, later_first, None),
        Split(QUARTERS, between_series=True),
    )
    assert windows[::10].tolist() == [3, 2, 1, 0]


def test_between_series_needs_four_series() -> None:
    with pytest.raises(InputError, match="at least four series, got 3"):
        assign(hourly(10, series=3), Split(QUARTERS, between_series=True))


def test_without_time_the_permutation_follows_the_seed_and_the_shares() -> None:
    rows = hourly(1000, timed=False)
    first, again, other = (assign(rows, Split(seed=seed)) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert np.any(first != other)
    assert np.bincount(first).tolist() == [500, 100, 200, 200]
    assert np.any(np.diff(first) < 0)


def test_an_empty_window_is_named() -> None:
    with pytest.raises(NotEnoughDataError, match="'selection' holds no rows of 10"):
        assign(hourly(10), Split((0.5, 0.1, 0.2, 0.2), gap_us=3 * HOUR))
