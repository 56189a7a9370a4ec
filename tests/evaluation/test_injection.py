"""Injected faults: of stated kind and size, in runs of rows of one series, judged as served."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from evaluation.injection import KINDS, Injection, inject, injected_faults, place, reference_spread
from features.rows import Rows
from features.vibration.record import FEATURE_NAMES

PLAIN = ("a", "b", "c", "d", "e", "f")
SPREAD = np.array([1.0, 2.0, 3.0, 1.0, 2.0, 3.0])


def table(series: int = 8, length: int = 60, timed: bool = True, seed: int = 0) -> Rows:
    n = series * length
    values = np.random.default_rng(seed).normal(10, 1, (n, 6)) * SPREAD
    times = np.tile(np.arange(length) * 60_000_000, series) if timed else None
    return Rows(PLAIN, values, np.repeat(np.arange(series), length), tuple(map(str, range(series))), times, None)


def everywhere(rows: Rows) -> NDArray[np.bool_]:
    return np.ones(len(rows), bool)


def test_places_are_runs_of_usable_rows_of_one_series_with_a_past_between_them() -> None:
    rows, usable = table(), everywhere(table())
    usable[100:130] = False
    found = place(rows, usable, Injection(faults=30, rows=5), 3, seed=1)
    assert found is not None
    assert found.rows.shape == (30, 5)
    assert usable[found.rows].all()
    assert (np.ptp(rows.series[found.rows], axis=1) == 0).all()
    first = np.sort(found.rows[:, 0])
    same = np.diff(rows.series[first]) == 0
    assert (np.diff(first)[same] >= 5 + 3).all()


def test_groups_take_turns() -> None:
    rows = replace(table(), groups=np.repeat([0, 1], [7 * 60, 60]), group_names=("large", "small"))
    found = place(rows, everywhere(rows), Injection(faults=10, rows=6), 0, seed=2)
    assert found is not None
    assert np.bincount(found.units).tolist() == [5, 5]


def test_without_time_single_rows_take_the_faults() -> None:
    found = place(table(timed=False), everywhere(table()), Injection(faults=20), 0, seed=0)
    assert found is not None
    assert (found.rows.shape, found.times) == ((20, 1), None)


def test_without_a_run_long_enough_there_is_no_place() -> None:
    assert place(table(), everywhere(table()), Injection(rows=61), 0, seed=0) is None
    assert place(table(), ~everywhere(table()), Injection(), 0, seed=0) is None


@pytest.mark.parametrize("kind", KINDS)
def test_a_fault_touches_a_third_of_the_features_and_grows_with_its_size(kind: str) -> None:
    own = table().values[:480].reshape(40, 12, 6)
    small, large = (inject(own, PLAIN, kind, size, SPREAD, seed=3) - own for size in (2.0, 8.0))
    assert ((small != 0).any(axis=1).sum(axis=1) == 2).all()
    np.testing.assert_allclose(large, 4 * small, atol=1e-9)
    np.testing.assert_array_equal(inject(own, PLAIN, kind, 2.0, SPREAD, seed=3) - own, small)


def test_sizes_are_in_spreads() -> None:
    own = table().values[:480].reshape(40, 12, 6)
    moved = {kind: inject(own, PLAIN, kind, 4.0, SPREAD, seed=3) - own for kind in KINDS}
    assert set(np.unique((np.abs(moved["offset"]) / SPREAD).round(9))) == {0.0, 4.0}
    assert set(np.unique((moved["impulse"] / SPREAD).round(9))) == {0.0, 4.0}
    assert ((moved["impulse"] != 0).any(axis=2).sum(axis=1) == 4).all()
    assert (moved["scale"].mean(axis=1) / SPREAD).max(axis=1) == pytest.approx(4.0)
    noise = (moved["noise"] / SPREAD)[moved["noise"] != 0]
    assert noise.std() == pytest.approx(4.0, rel=0.1)


def test_vibration_records_gain_amplitude_and_impulses_where_a_machine_would() -> None:
    own, spread = np.ones((5, 12, 10)), np.ones(10)
    for kind, names in (
        ("scale", {"rms", "peak"}),
        ("impulse", {"peak", "crest_factor", "kurtosis", "impulse_factor"}),
    ):
        moved = inject(own, FEATURE_NAMES, kind, 4.0, spread, seed=0) != own
        assert {FEATURE_NAMES[k] for k in np.flatnonzero(moved.any(axis=(0, 1)))} == names


def test_a_fault_is_detected_by_one_alert_row_and_the_rows_are_put_back() -> None:
    rows = table()
    before = rows.values.copy()
    injection = Injection(sizes=(0.0, 50.0), faults=30, rows=6)
    places = place(rows, everywhere(rows), injection, 0, seed=0)
    assert places is not None

    def flag(values: NDArray[np.float64], at: NDArray[np.int64]) -> NDArray[np.bool_]:
        return np.asarray((np.abs(values[at] / SPREAD - 10) > 20).any(axis=1))

    found = injected_faults(flag, rows, places, SPREAD, injection, seed=0)
    shares = dict(zip(found.kinds, found.detected.mean(axis=2).tolist(), strict=True))
    assert (shares["offset"], shares["impulse"]) == ([0.0, 1.0], [0.0, 1.0])
    assert not found.untouched.any()
    assert found.recall == pytest.approx(found.detected.mean())
    np.testing.assert_array_equal(rows.values, before)


def test_what_alerts_anyway_is_told_apart() -> None:
    rows, injection = table(), Injection(faults=10)
    places = place(rows, everywhere(rows), injection, 0, seed=0)
    assert places is not None
    found = injected_faults(lambda values, at: np.ones(len(at), bool), rows, places, SPREAD, injection, seed=0)  # noqa: ARG005
    assert (found.recall, found.untouched.mean()) == (1.0, 1.0)


def test_the_spread_is_that_within_a_series() -> None:
    rows = table(series=50, length=400)
    rows = replace(rows, values=rows.values + 1_000 * rows.series[:, None])
    assert reference_spread(rows) == pytest.approx(SPREAD, rel=0.05)


def test_a_feature_that_seldom_or_never_moves_has_a_spread_too() -> None:
    values = np.zeros((100, 2))
    values[:10, 0] = 5.0
    rows = Rows(("a", "b"), values, np.zeros(100, np.int64), ("x",), None, None)
    assert reference_spread(rows).tolist() == [1.5, 1.0]
