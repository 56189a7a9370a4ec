"""How far features moved, with intervals that know how many independent rows are behind them."""

import numpy as np
import pytest

from evaluation.drift.effects import Seen, measure_effects, superiority
from evaluation.drift.independence import Units, effective_rows, independent_units
from features.rows import Rows

DAY = 86_400 * 1_000_000


def alone(values: np.ndarray) -> Seen:
    return Seen(values, Units("rows", np.arange(len(values))))


def clustered(groups: int, rows: int, seed: int, between: float = 1.0) -> Seen:
    """Rows of groups that differ: their centres spread as widely as the rows within them."""
    rng = np.random.default_rng(seed)
    codes = np.repeat(np.arange(groups), rows)
    values = rng.normal(0, between, groups)[codes] + rng.normal(size=len(codes))
    return Seen(values[:, None], Units("groups", codes))


def test_a_shift_is_in_robust_deviations_of_the_reference_with_its_direction() -> None:
    rng = np.random.default_rng(0)
    reference, current = rng.normal(5, 2, (4_000, 3)), rng.normal(5, 2, (3_000, 3))
    current[:, 1] += 3
    current[:, 2] -= 1
    same, rose, fell = measure_effects(alone(reference), alone(current), ("same", "rose", "fell"))
    assert same.shift.low < 0 < same.shift.high
    assert rose.shift.value == pytest.approx(1.5, abs=0.1)
    assert rose.shift.low > 1.3
    assert fell.shift.high < -0.35
    assert fell.spread.low < 1 < fell.spread.high


def test_a_spread_is_a_ratio() -> None:
    rng = np.random.default_rng(0)
    effect = measure_effects(alone(rng.normal(size=(4_000, 1))), alone(rng.normal(0, 3, (4_000, 1))), ("x",))[0]
    assert effect.spread.value == pytest.approx(3, rel=0.1)
    assert effect.spread.low > 2.5


def test_wild_values_and_another_unit_change_no_effect() -> None:
    rng = np.random.default_rng(0)
    reference, current = rng.normal(size=(2_000, 1)), rng.normal(size=(2_000, 1)) + 0.5
    wild = current.copy()
    wild[:20] = 1e9
    plain, scaled, disturbed = (
        measure_effects(alone(factor * reference), alone(factor * other), ("x",))[0].shift.value
        for factor, other in ((1, current), (1e-6, current), (1, wild))
    )
    assert scaled == pytest.approx(plain)
    assert disturbed == pytest.approx(plain, abs=0.05)


def test_a_constant_feature_has_no_spread_and_a_finite_shift() -> None:
    effect = measure_effects(alone(np.full((200, 1), 3.0)), alone(np.full((200, 1), 5.0)), ("x",))[0]
    assert effect.shift.value == effect.shift.low == 2.0
    assert (effect.spread.low, effect.spread.value, effect.spread.high) == (1.0, 1.0, 1.0)


def test_dependent_rows_are_worth_about_as_many_as_there_are_groups() -> None:
    seen = clustered(groups=20, rows=500, seed=1)
    worth = effective_rows(seen.values > np.median(seen.values), seen.units)[0]
    assert 20 < worth < 120
    apart = effective_rows(seen.values > 0, Units("rows", np.arange(10_000)))[0]
    assert apart == pytest.approx(10_000, rel=0.01)


def test_an_interval_of_dependent_rows_holds_the_truth_where_one_of_single_rows_would_not() -> None:
    """No shift in 200 pairs of windows, each of 20 other groups: the 97.5 % interval of the shift misses 0 rarely."""
    missed, taken_alone = 0, 0
    for seed in range(200):
        old, new = clustered(20, 100, seed), clustered(20, 100, 1_000 + seed)
        shift = measure_effects(old, new, ("x",))[0].shift
        missed += not shift.low <= 0 <= shift.high
        shift = measure_effects(alone(old.values), alone(new.values), ("x",))[0].shift
        taken_alone += not shift.low <= 0 <= shift.high
    assert missed <= 12
    assert taken_alone > 60


def test_superiority_is_how_much_oftener_a_current_row_is_above_a_reference_row() -> None:
    assert superiority(np.array([1.0, 2]), np.array([3.0, 4])) == 1.0
    assert superiority(np.array([3.0, 4]), np.array([1.0, 2])) == -1.0
    assert superiority(np.array([1.0, 2, 2]), np.array([2.0, 2])) == pytest.approx((1 - 0) * 2 / 6)


def rows(units: int, n: int, times: np.ndarray | None) -> Rows:
    series = np.arange(n) % units
    return Rows(("x",), np.zeros((n, 1)), series, tuple(map(str, range(units))), times, None)


@pytest.mark.parametrize(
    ("made", "by", "count"),
    [
        (rows(12, 240, np.arange(240) * DAY), "groups", 12),
        (rows(2, 200, np.arange(200) * DAY // 10), "days", 40),
        (rows(1, 400, np.arange(400) * 1_000_000), "stretches", 20),
        (rows(3, 90, None), "rows", 90),
    ],
)
def test_units_are_groups_then_their_days_then_stretches_of_time_then_rows(made: Rows, by: str, count: int) -> None:
    units = independent_units(made, 0)
    assert (units.by, units.count) == (by, count)
