"""Detectors as ONNX graphs: the same scores, the same bytes, whatever the batch."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.ensemble import IsolationForest

from features.errors import InputError
from serving.graph import Graph
from training.detectors.registry import FAMILIES, family
from training.export.trees import export_isolation_forest

SMALL = {"isolation_forest": {"n_estimators": 20}, "autoencoder": {"epochs": 2, "width": 8}}


def make_values(n: int = 2_000, d: int = 5, seed: int = 0) -> NDArray[np.float32]:
    return np.random.default_rng(seed).standard_t(3, (n, d)).astype(np.float32)


def fit(name: str, values: NDArray[np.float32], seed: int = 3) -> bytes:
    return family(name).fit(values, {**family(name).defaults, **SMALL[name]}, seed)


@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"max_features": 0.4},
        {"bootstrap": True},
        {"max_features": 0.6, "bootstrap": True, "max_samples": 64},
        {"max_samples": 2},
    ],
)
def test_a_forest_scores_as_scikit_learn_does(parameters: dict[str, Any]) -> None:
    values = make_values()
    forest = IsolationForest(**{"n_estimators": 30, "max_samples": 256, "random_state": 1} | parameters).fit(values)
    asked = np.vstack([values, make_values(500, seed=9) * 5, np.full((1, 5), 1e6, np.float32)])
    np.testing.assert_allclose(
        Graph(export_isolation_forest(forest)).score(asked), -forest.score_samples(asked), rtol=0, atol=2e-6
    )


def test_a_forest_decides_values_on_a_threshold_as_scikit_learn_does() -> None:
    values = np.random.default_rng(2).integers(0, 4, (500, 3)).astype(np.float32) / np.float32(3)
    forest = IsolationForest(n_estimators=30, max_samples=128, random_state=1).fit(values)
    cuts = np.concatenate([tree.tree_.threshold for tree in forest.estimators_]).astype(np.float32)[:300]
    asked = np.column_stack([cuts, np.nextafter(cuts, np.float32(9)), np.nextafter(cuts, np.float32(-9))])
    np.testing.assert_allclose(
        Graph(export_isolation_forest(forest)).score(asked), -forest.score_samples(asked), rtol=0, atol=2e-6
    )


def test_a_forest_takes_fewer_rows_than_its_sample_size() -> None:
    values = make_values(50)
    forest = IsolationForest(n_estimators=20, max_samples=50, random_state=3).fit(values)
    graph = Graph(fit("isolation_forest", values))
    np.testing.assert_allclose(graph.score(values), -forest.score_samples(values), rtol=0, atol=2e-6)


@pytest.mark.parametrize("name", FAMILIES)
def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(name: str) -> None:
    values = make_values()
    first = fit(name, values)
    assert first == fit(name, values)
    assert first != fit(name, values, seed=4)


def test_a_forest_gives_a_row_the_same_score_in_any_batch() -> None:
    values = make_values(300)
    graph = Graph(fit("isolation_forest", values))
    whole = graph.score(values)
    assert whole.shape == (300,)
    assert whole.dtype == np.float32
    np.testing.assert_array_equal(whole, np.concatenate([graph.score(values[i : i + 1]) for i in range(300)]))
    np.testing.assert_array_equal(whole, np.concatenate([graph.score(values[:7]), graph.score(values[7:])]))


@pytest.mark.parametrize("name", FAMILIES)
def test_a_far_row_scores_higher_than_the_rows_it_was_fitted_on(name: str) -> None:
    values = np.random.default_rng(0).normal(0, 1, (1_000, 4)).astype(np.float32)
    graph = Graph(fit(name, values))
    far = graph.score(np.array([[8, -8, 8, -8]], np.float32))
    assert far[0] > np.quantile(graph.score(values), 0.99)


@pytest.mark.parametrize("name", FAMILIES)
def test_no_rows_have_no_scores(name: str) -> None:
    graph = Graph(fit(name, make_values(100)))
    assert graph.score(np.empty((0, 5), np.float32)).shape == (0,)


def test_an_unknown_family_is_refused() -> None:
    with pytest.raises(InputError, match=r"search\.families: must be one of isolation_forest, autoencoder, got 'svm'"):
        family("svm")


@pytest.mark.parametrize("name", FAMILIES)
@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 7, 16, 17, 33, 64, 100, 299])
def test_a_row_has_the_same_score_in_any_batch(name: str, size: int) -> None:
    values = make_values(300)
    graph = Graph(fit(name, values))
    parts = [graph.score(values[start : start + size]) for start in range(0, 300, size)]
    np.testing.assert_array_equal(np.concatenate(parts), graph.score(values))
