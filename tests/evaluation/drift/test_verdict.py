"""The verdict on drift, by limits that are stated, and the pages that say so."""

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from evaluation.drift.assess import MIN_ROWS, assess
from evaluation.drift.effects import Change, Effect
from evaluation.drift.moved import MovedSeries, moved_series
from evaluation.drift.page import About, moved_most, render_drift
from evaluation.drift.report import Drift
from evaluation.drift.verdict import DriftLimits, decide
from features.errors import NotEnoughDataError
from features.rows import Rows, from_table
from features.schema import Schema
from serving.baselines import BaselineTable, make_baselines

LIMITS = DriftLimits()
STILL = MovedSeries(50, ())


def effect(
    name: str = "x", shift: tuple[float, float] = (-0.1, 0.1), spread: tuple[float, float] = (0.9, 1.1)
) -> Effect:
    changes = [Change(sum(bounds) / 2, *bounds, 100.0, 50.0) for bounds in (shift, spread)]
    return Effect(name, *changes, 0.0)


@pytest.mark.parametrize(
    ("changed", "outcome", "words"),
    [
        (effect(), "ok", ""),
        (effect(shift=(-0.2, 3.0)), "ok", ""),
        (effect(shift=(0.24, 3.0)), "ok", ""),
        (effect(shift=(0.25, 0.6)), "watch", "x rose by 0.42 robust deviations, at least 0.25: limit 0.25"),
        (effect(shift=(-0.9, -0.3)), "watch", "x fell by 0.60 robust deviations, at least 0.30: limit 0.25"),
        (effect(shift=(-3.0, -1.0)), "retrain", "x fell by 2.00 robust deviations, at least 1.00: limit 1"),
        (effect(spread=(1.6, 1.8)), "watch", "x spreads 1.70 times wider, at least 1.60: limit 1.5"),
        (effect(spread=(0.2, 0.3)), "retrain", "x spreads 4.00 times narrower, at least 3.33: limit 2.5"),
    ],
)
def test_a_feature_is_beyond_a_limit_where_its_whole_interval_is(changed: Effect, outcome: str, words: str) -> None:
    still = [effect(f"still{k}") for k in range(3)]
    verdict = decide((changed, *still), STILL, LIMITS)
    assert (verdict.outcome, verdict.features["x"]) == (outcome, outcome)
    assert verdict.reasons == ((words,) if words else ())


def test_many_features_to_watch_are_a_reason_to_retrain() -> None:
    effects = [effect(f"f{k}", shift=(0.3, 0.5)) for k in range(2)] + [effect(f"s{k}") for k in range(2)]
    verdict = decide(tuple(effects), STILL, LIMITS)
    assert verdict.outcome == "retrain"
    assert verdict.reasons[0] == "2 of 4 features drifted, 50%: limit 50%"
    assert verdict.features["f0"] == "watch"


@pytest.mark.parametrize(("count", "outcome"), [(0, "ok"), (1, "ok"), (2, "watch"), (19, "watch"), (20, "retrain")])
def test_the_share_of_series_that_moved_counts(count: int, outcome: str) -> None:
    moved = MovedSeries(100, tuple((f"s{k}", "x", -4.0) for k in range(count)))
    verdict = decide((effect(),), moved, LIMITS)
    assert verdict.outcome == outcome
    if count > 1:
        assert verdict.reasons[0].endswith("furthest s0, x -4.0")


def fleet(series: int, each: int, seed: int) -> Rows:
    """Series that differ widely from each other and are steady."""
    rng = np.random.default_rng(seed)
    codes = np.repeat(np.arange(series), each)
    values = 100.0 * codes[:, None] + rng.normal(size=(len(codes), 2))
    times = np.tile(np.arange(each), series) * 3_600_000_000
    return Rows(("x", "y"), values, codes, tuple(f"s{k:03d}" for k in range(series)), times, None)


def test_a_series_is_judged_against_itself_and_the_feature_that_moved_furthest_is_named() -> None:
    old, new = fleet(10, 40, 0), fleet(10, 40, 1)
    new.values[80:120] += [-5.0, 9.0]
    found = moved_series(old, old.values, new, new.values, limit=3.0)
    assert (found.judged, found.share) == (10, 0.1)
    assert [name for name, _, _ in found.moved] == ["s002"]
    assert found.moved[0][1] == "y"
    assert found.moved[0][2] == pytest.approx(9, abs=2)


def test_a_series_that_runs_more_often_at_full_load_has_not_moved() -> None:
    old, new = fleet(10, 80, 0), fleet(10, 80, 1)
    loads = [np.arange(800) % 80 < count for count in (25, 50)]
    parts = []
    for rows, high in zip((old, new), loads, strict=True):
        rows.values[high] += 50.0
        parts.append(replace(rows, regimes=high.astype(np.int64), regime_names=("low", "high")))
    stated = moved_series(parts[0], old.values, parts[1], new.values, 3.0)
    assert (stated.judged, len(stated.moved)) == (10, 0)
    assert len(moved_series(old, old.values, new, new.values, 3.0).moved) == 10


def test_series_with_few_rows_or_in_one_window_alone_are_not_judged() -> None:
    old, new = fleet(10, 40, 0), fleet(12, 40, 1)
    few = new.take(np.r_[0:40, 40:55, 400:480])
    assert moved_series(old, old.values, few, few.values, 3.0).judged == 1
    none = new.take(np.arange(400, 480))
    assert moved_series(old, old.values, none, none.values, 3.0) == MovedSeries(0, ())


def test_with_baselines_another_mixture_of_series_is_no_drift_and_without_it_looks_like_one() -> None:
    """Twenty series in the reference, the upper ten of which still send."""
    old, new = fleet(20, 60, 0), fleet(20, 60, 1)
    new = new.take(new.series >= 10)
    centres = 100.0 * np.arange(20)[:, None] * np.ones((1, 2))
    table = BaselineTable(
        (*old.series_names, ""),
        ("",) * 21,
        np.full(21, 60),
        np.zeros(21, np.int8),
        np.vstack([centres, [[1_000, 1_000]]]),
        np.vstack([np.ones((20, 2)), [[600, 600]]]).astype(np.float32),
    )
    seen = assess(old, new, make_baselines(table), LIMITS, 0)
    assert (seen.verdict.outcome, seen.seen_as) == ("ok", "deviations from the baseline of each series")
    bare = assess(old, new, None, LIMITS, 0)
    assert bare.effects[0].shift.value > 0.5 > abs(seen.effects[0].shift.value)


@pytest.mark.parametrize(("old", "new", "named"), [(99, 100, "reference"), (100, 99, "current")])
def test_small_windows_are_refused_and_named(old: int, new: int, named: str) -> None:
    assert MIN_ROWS == 100
    whole = fleet(1, 200, 0)
    with pytest.raises(NotEnoughDataError, match=f"drift {named} window: needs at least 100 rows, got 99"):
        assess(whole.take(np.arange(old)), whole.take(np.arange(new)), None, LIMITS, 0)


def test_what_moved_most_is_named_in_the_order_of_the_table() -> None:
    rng = np.random.default_rng(0)
    old, new = rng.normal(size=(2, 500, 5))
    new[:, 3] += 1
    new[:, 1] -= 2
    new[:, 4] += 0.5
    names = ("a", "b", "c", "d", "e")
    before, after = (from_table(pa.table(dict(zip(names, v.T, strict=True))), Schema(names)) for v in (old, new))
    found = assess(before, after, None, LIMITS, 0)
    assert moved_most(found, 2) == ("b", "d")
    assert moved_most(found, 9) == names


def test_the_page_says_the_verdict_first_escapes_what_came_with_the_data_and_asks_for_nothing() -> None:
    old, new = fleet(12, 60, 0), fleet(12, 60, 1)
    new.values[:, 0] += 50.0
    new.values[:60] += 40.0
    found = assess(replace(old, features=("a<b", "y")), replace(new, features=("a<b", "y")), None, LIMITS, 0)
    about = About("m", "ref", "t<able", (("Rows", "720"),), True)
    page = render_drift(about, found, Drift("wasserstein", 0.1, 720, 720, {"a<b": 0.2, "y": 0.0}))
    assert page.index("Watch" if found.verdict.outcome == "watch" else "Retrain") < page.index("a&lt;b")
    assert "SIMULATED" in page
    assert "a<b" not in page
    assert "http:" not in page
    assert "https:" not in page
    assert "s000" in page
    assert "drift-evidently.html" in page
