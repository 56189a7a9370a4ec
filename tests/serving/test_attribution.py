"""Reasons: what is added to a score is named, with its share and side, and made-up faults are found again."""

from pathlib import Path

import numpy as np
import pytest

from features.history import scorable
from features.rows import Rows
from serving.attribution import Attribution, attribute, attribute_rows, drivers, method_of, top_reasons
from serving.bundle import Bundle, load_bundle
from serving.manifest import PastRows
from serving.scorer import score
from tests.serving.service import publish

FAMILIES = ("isolation_forest", "extended_forest", "linear_autoencoder", "autoencoder")
NAMES = ("a", "b", "c", "d", "e", "f")


def correlated(n: int, seed: int = 0) -> np.ndarray:
    """Rows of six features, two of which follow two others."""
    values = np.random.default_rng(seed).normal(5, 2, (n, 6))
    values[:, 4:] = values[:, :2] + np.random.default_rng(seed + 1).normal(0, 0.5, (n, 2))
    return values


@pytest.fixture(scope="module")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Bundle]:
    store, made = tmp_path_factory.mktemp("reasons"), {}
    for name in FAMILIES:
        ref = publish(store, named=name, features=NAMES, values=correlated(2_000))
        made[name] = load_bundle(ref.uri, ref.digest)
    return made


@pytest.mark.parametrize("name", FAMILIES)
def test_nine_in_ten_alerts_of_a_fault_in_one_feature_name_it_first(bundles: dict[str, Bundle], name: str) -> None:
    bundle, rng = bundles[name], np.random.default_rng(5)
    faulty, hit = correlated(10_000, seed=7), rng.integers(0, 6, 10_000)
    faulty[np.arange(10_000), hit] += rng.choice([-1, 1], 10_000) * rng.choice([8, 16, 32], 10_000)
    alert = score(bundle.scorer, faulty) >= bundle.manifest.threshold
    named = attribute(bundle, faulty, None, None).amounts.argmax(axis=1) == hit
    assert alert.sum() >= 30
    assert named[alert].mean() >= 0.9


@pytest.mark.parametrize(
    ("name", "method"), list(zip(FAMILIES, ("expected_path",) * 2 + ("first_and_last",) * 2, strict=True))
)
def test_amounts_sum_to_the_score_above_that_of_an_ordinary_row(
    bundles: dict[str, Bundle], name: str, method: str
) -> None:
    bundle = bundles[name]
    assert method_of(bundle) == method
    values = correlated(50, seed=3) * 3
    centre = bundle.scorer.transform.centre[None]
    ordinary = bundle.forest.ordinary if bundle.forest else float(score(bundle.scorer, centre)[0])
    found = attribute(bundle, values, None, None).amounts.sum(axis=1)
    assert found == pytest.approx(score(bundle.scorer, values) - ordinary, rel=1e-5, abs=1e-5)


@pytest.mark.parametrize("name", FAMILIES)
def test_a_row_has_the_same_reasons_alone_and_among_others(bundles: dict[str, Bundle], name: str) -> None:
    values = correlated(40, seed=3) * 3
    together = attribute(bundles[name], values, None, None)
    for row in (0, 17, 39):
        alone = attribute(bundles[name], values[[row]], None, None)
        assert alone.amounts[0] == pytest.approx(together.amounts[row], rel=1e-9, abs=1e-12)
        assert (alone.above[0] == together.above[row]).all()


def test_a_reason_says_on_which_side_of_its_centre_a_value_is(bundles: dict[str, Bundle]) -> None:
    values = np.array([[50.0, 5, 5, 5, 5, 5], [5, 5, -40, 5, 5, 5]])
    top = top_reasons(attribute(bundles["extended_forest"], values, None, None), NAMES)
    assert [(row[0].feature, row[0].direction) for row in top] == [("a", "above"), ("c", "below")]


def test_reasons_are_the_three_that_raise_the_score_most() -> None:
    found = Attribution(np.array([[1.0, -5.0, 4.0, 2.0, 3.0], [0.0, -1.0, 0.0, 0.0, 2.0]]), np.ones((2, 5), bool))
    top = top_reasons(found, NAMES)
    assert [(reason.feature, reason.share) for reason in top[0]] == [("c", 0.4), ("e", 0.3), ("d", 0.2)]
    assert [reason.feature for reason in top[1]] == ["e"]


def test_drivers_are_shares_of_rows_that_count_the_same_largest_first() -> None:
    found = Attribution(np.array([[1000.0, 0.0], [1.0, 3.0]]), np.ones((2, 2), bool))
    assert drivers(found, ("a", "b")) == pytest.approx({"a": 0.625, "b": 0.375})
    assert list(drivers(found, ("b", "a"))) == ["b", "a"]


def test_there_are_no_drivers_without_rows_or_without_anything_that_raises_a_score() -> None:
    assert drivers(Attribution(np.empty((0, 2)), np.empty((0, 2), bool)), ("a", "b")) == {}
    assert drivers(Attribution(np.array([[0.0, -1.0]]), np.ones((1, 2), bool)), ("a", "b")) == {}


@pytest.mark.parametrize("name", ["isolation_forest", "linear_autoencoder"])
def test_a_feature_answers_for_all_that_history_makes_of_it(tmp_path: Path, name: str) -> None:
    ref = publish(tmp_path, history=PastRows(2, ["lags", "mean"], 900), named=name)
    bundle = load_bundle(ref.uri, ref.digest)
    past = np.full((1, 2, 3), 5.0)
    past[0, :, 1] = 90, -80
    found = attribute(bundle, np.full((1, 3), 5.0), past, None)
    assert found.amounts.shape == (1, 3)
    assert found.amounts[0].argmax() == 1


def test_rows_of_a_table_have_the_reasons_of_the_same_rows_asked_for_singly(tmp_path: Path) -> None:
    ref = publish(tmp_path, history=PastRows(2, ["lags", "mean"], 900))
    bundle = load_bundle(ref.uri, ref.digest)
    n = 30
    values = np.random.default_rng(1).normal(5, 9, (n, 3))
    ready = scorable(
        Rows(("a", "b", "c"), values, np.zeros(n, np.int64), ("s",), np.arange(n), None), bundle.scorer.history
    )
    found = attribute_rows(bundle, ready, None)
    assert len(found.amounts) == n - 2
    single = attribute(bundle, values[[9]], values[None, 7:9], None)
    assert found.amounts[7] == pytest.approx(single.amounts[0])
    assert len(attribute_rows(bundle, ready.take(np.zeros(n - 2, bool)), None).amounts) == 0
