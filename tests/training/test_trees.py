"""Isolation forests as ONNX graphs: scikit-learn's scores for any parameters, and for rows on a threshold."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.ensemble import IsolationForest

from serving.graph import Graph
from training.detectors import isolation_forest
from training.export.trees import export_isolation_forest


def make_values(n: int = 2_000, seed: int = 0) -> NDArray[np.float32]:
    return np.random.default_rng(seed).standard_t(3, (n, 5)).astype(np.float32)


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
    graph = Graph(isolation_forest.fit(values, {**isolation_forest.DEFAULTS, "n_estimators": 20}, 3))
    np.testing.assert_allclose(graph.score(values), -forest.score_samples(values), rtol=0, atol=2e-6)


def test_a_missing_value_goes_the_way_of_values_above_every_threshold() -> None:
    values = make_values()
    graph = Graph(isolation_forest.fit(values, isolation_forest.DEFAULTS, 3))
    asked = values[:50].copy()
    asked[:, 2] = np.nan
    np.testing.assert_array_equal(graph.score(asked), graph.score(np.nan_to_num(asked, nan=1e6)))
