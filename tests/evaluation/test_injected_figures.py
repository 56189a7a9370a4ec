"""Recall of injected faults with its interval: by machines, since a machine and not a fault is what is independent."""

import numpy as np
import pytest

from evaluation.clusters import NOT_AVAILABLE
from evaluation.injected_figures import judge_injected
from evaluation.injection import InjectedFaults, Places
from features.rows import Rows

SIZES = (4.0, 8.0)
KINDS = ("offset", "noise")


def found(machines: int, places: int, seed: int) -> tuple[InjectedFaults, Rows]:
    """Faults on machines of which each has a share of its own, .6 on average, of its faults detected."""
    rng = np.random.default_rng(seed)
    units = np.repeat(np.arange(machines), places)
    chances = rng.beta(3, 2, (len(KINDS), len(SIZES), machines))[..., units]
    detected = rng.random(chances.shape) < chances
    n = len(units)
    rows = Rows(("a",), np.zeros((n, 1)), units, tuple(map(str, range(machines))), None, None)
    untouched = np.arange(n) % 10 == 0
    return InjectedFaults(detected, untouched, KINDS, SIZES, Places(np.arange(n)[:, None], units, None)), rows


def test_every_kind_and_size_has_its_figure_and_interval() -> None:
    faults, rows = found(20, 12, seed=3)
    told = judge_injected(faults, rows)
    assert (told.sizes, [*told.each], told.of_each, told.untouched) == (SIZES, [*KINDS], 240, 0.1)
    assert told.recall.value == pytest.approx(faults.recall)
    for row, kind in enumerate(KINDS):
        for column, size in enumerate(SIZES):
            one = told.each[kind][size]
            assert (one.name, one.unit) == (f"injected_{kind}_{size:g}", "share")
            assert one.value == pytest.approx(faults.detected[row, column].mean())
            assert one.interval is not None
            assert one.interval.low < one.value < one.interval.high
            assert one.interval.clusters == 20
            assert told.recall.interval is not None
            width = told.recall.interval.high - told.recall.interval.low
            assert width < one.interval.high - one.interval.low  # of four times as many faults


def test_what_is_always_found_has_a_bound_and_few_machines_have_no_interval() -> None:
    faults, rows = found(20, 12, seed=3)
    faults.detected[:] = True
    told = judge_injected(faults, rows).recall
    assert (told.value, told.interval and told.interval.high) == (1.0, 1.0)
    assert told.interval is not None
    assert 0.7 < told.interval.low < 0.9  # 20 machines that all tell the same: .025 ** (1 / 20)
    few = judge_injected(*found(9, 12, seed=3))
    assert (few.recall.interval, few.recall.reason) == (None, NOT_AVAILABLE)


def test_the_interval_covers_the_truth_over_machines() -> None:
    truth, runs, covered = 0.6, 300, {"all": 0, "one": 0}
    for seed in range(runs):
        told = judge_injected(*found(15, 8, seed=seed), seed=seed)
        for name, one in (("all", told.recall), ("one", told.each["noise"][8.0])):
            assert one.interval is not None
            covered[name] += one.interval.low <= truth <= one.interval.high
    assert all(0.90 <= n / runs <= 0.98 for n in covered.values()), covered
