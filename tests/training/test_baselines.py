"""Centre and scale by series and state; few rows lean on the fleet; nothing divides by nothing."""

import numpy as np
import pytest
from scipy.stats import median_abs_deviation

from features.errors import NotEnoughDataError
from features.rows import Rows
from serving.baselines import Stratum
from training.baselines import BaselineRules, fit_baselines, fit_fleet, fleet_of, renew

RULES = BaselineRules(min_rows=100, min_hours=5.0, shrinkage=50.0, floor=0.25)
STEP = 5 * 60 * 1_000_000


def rows_of(parts: list[np.ndarray], states: list[int] | None = None, timed: bool = True) -> Rows:
    """One series a part, one row each five minutes; states are codes of ("high", "low", "off")."""
    n = [len(part) for part in parts]
    codes = np.repeat(np.arange(len(parts)), n)
    times = np.concatenate([np.arange(k) * STEP for k in n]) if timed else None
    names = tuple(f"s{i}" for i in range(len(parts)))
    regimes = None if states is None else np.array(states)
    values = np.concatenate(parts).reshape(len(codes), -1)
    return Rows(("x",), values, codes, names, times, None, None, (), regimes, ("high", "low", "off") if states else ())


def noise(n: int, centre: float = 0.0, scale: float = 1.0, seed: int = 0) -> np.ndarray:
    return centre + scale * np.random.default_rng(seed).normal(size=n)


def test_a_mature_series_has_its_own_median_and_mad() -> None:
    parts = [noise(300, 5, 2), noise(201, -5, 1, seed=1)]
    table = fit_baselines(rows_of(parts), RULES)
    assert table.series == ("s0", "s1", "")
    assert table.stratum.tolist() == [Stratum.MATURE, Stratum.MATURE, Stratum.UNSEEN]
    for k, part in enumerate(parts):
        assert table.centre[k, 0] == np.median(part)
        assert table.scale[k, 0] == pytest.approx(1.4826 * median_abs_deviation(part), rel=1e-6)
    assert table.rows.tolist() == [300, 201, 501]


def test_the_fleet_spans_the_differences_between_series() -> None:
    table = fit_baselines(rows_of([noise(300, 5), noise(300, -5)]), RULES)
    assert table.scale[-1, 0] > 4 * table.scale[0, 0]


@pytest.mark.parametrize(("n", "hours"), [(99, 100.0), (300, 100.0)])
def test_few_rows_or_few_hours_make_a_young_series_that_leans_on_the_fleet(n: int, hours: float) -> None:
    parts = [noise(2_000), noise(n, 10.0, seed=1)]
    rules = BaselineRules(min_rows=100, min_hours=hours, shrinkage=50.0)
    table = fit_baselines(rows_of(parts), rules)
    own, fleet = np.median(parts[1]), table.centre[-1, 0]
    assert table.stratum[1] == Stratum.YOUNG
    weight = (table.centre[1, 0] - fleet) / (own - fleet)
    assert weight == pytest.approx(n / (n + 50), rel=0.15)  # independent rows: n_eff is about n


def test_rows_that_follow_each_other_tell_less() -> None:
    walk = np.cumsum(noise(90, seed=2)) + 10
    fresh = noise(90, 10, float(walk.std()), seed=3)
    tables = [fit_baselines(rows_of([noise(2_000), part]), RULES) for part in (walk, fresh)]
    weights = [
        (t.centre[1, 0] - t.centre[-1, 0]) / (np.median(p) - t.centre[-1, 0])
        for t, p in zip(tables, (walk, fresh), strict=True)
    ]
    assert weights[0] < 0.5 * weights[1]


def test_each_state_has_its_baseline_and_off_has_none() -> None:
    part = np.r_[noise(200, 1), noise(200, 9), np.full(200, 1e6)]
    states = [0] * 200 + [1] * 200 + [2] * 200
    table = fit_baselines(rows_of([part], states), RULES)
    assert list(zip(table.series, table.regimes, strict=True)) == [
        ("s0", "high"), ("s0", "low"), ("", "high"), ("", "low"), ("", ""),
    ]  # fmt: skip
    assert table.centre[:2, 0] == pytest.approx([1, 9], abs=0.3)
    assert table.centre[-1, 0] < 10


def test_rows_of_an_unknown_state_are_left_out() -> None:
    table = fit_baselines(rows_of([noise(200)], [0] * 150 + [-1] * 50), RULES)
    assert table.rows[0] == 150


def test_a_constant_series_keeps_a_scale_above_zero() -> None:
    table = fit_baselines(rows_of([noise(300), np.full(300, 7.0)]), RULES)
    assert table.scale[1, 0] >= 0.2 * table.scale[0, 0] > 0
    lonely = fit_baselines(rows_of([np.full(300, 7.0)]), RULES)
    assert (lonely.scale > 0).all()


def test_without_time_rows_alone_decide() -> None:
    table = fit_baselines(rows_of([noise(150), noise(50)], timed=False), RULES)
    assert table.stratum.tolist() == [Stratum.MATURE, Stratum.YOUNG, Stratum.UNSEEN]


def test_only_rows_of_machines_at_rest_are_not_enough() -> None:
    with pytest.raises(NotEnoughDataError, match="state other than off"):
        fit_baselines(rows_of([noise(10)], [2] * 10), RULES)


def test_a_table_gives_back_the_fleet_it_was_made_with() -> None:
    rows = rows_of([noise(300, 5, 2), noise(201, -5, 1, seed=1), noise(20)], [1] * 400 + [0] * 121)
    fleet = fit_fleet(rows, RULES)
    again = fleet_of(fit_baselines(rows, RULES, fleet))
    assert again.regimes == fleet.regimes
    np.testing.assert_allclose(again.centre, fleet.centre)
    np.testing.assert_allclose(again.scale, fleet.scale, rtol=1e-6)
    assert again.rows.tolist() == fleet.rows.tolist()


def test_renewing_adds_series_renews_known_ones_and_keeps_the_fleet() -> None:
    before = fit_baselines(rows_of([noise(300, 5), noise(50, 7)]), RULES)
    later = rows_of([noise(300, 6), noise(300, 8), noise(30, 9)])
    after = renew(before, fit_baselines(later, RULES, fleet_of(before)))
    assert after.series == ("s0", "s1", "s2", "")
    assert after.stratum.tolist() == [0, 0, 1, 2]
    assert after.centre[:2, 0] == pytest.approx([6, 8], abs=0.3)
    np.testing.assert_array_equal(after.centre[-1], before.centre[-1])


def test_a_few_new_rows_do_not_make_a_mature_series_young() -> None:
    before = fit_baselines(rows_of([noise(300, 5)]), RULES)
    after = renew(before, fit_baselines(rows_of([noise(20, 50)]), RULES, fleet_of(before)))
    np.testing.assert_array_equal(after.centre, before.centre)
    assert after.stratum.tolist() == before.stratum.tolist()
