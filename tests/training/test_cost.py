"""Costs counted from graphs."""

import numpy as np
import pytest
from sklearn.ensemble import IsolationForest

from training.detectors import autoencoder
from training.export.cost import operations
from training.export.dense import export_autoencoder
from training.export.trees import export_isolation_forest

VALUES = np.random.default_rng(1).normal(size=(400, 5)).astype(np.float32)


def test_products_count_their_multiply_adds() -> None:
    weights = [(np.ones((3, 5), np.float32), np.zeros(3, np.float32)), (np.ones((5, 3), np.float32), np.zeros(5))]
    model = export_autoencoder([(w, b.astype(np.float32)) for w, b in weights], relu_after=(0,))
    assert operations(model) == 5 * 3 + 3 * 5 + 5  # and the mean of five squares


@pytest.mark.parametrize(("trees", "samples"), [(1, 2), (7, 64), (30, 256)])
def test_trees_count_their_deepest_paths(trees: int, samples: int) -> None:
    forest = IsolationForest(n_estimators=trees, max_samples=samples, random_state=3).fit(VALUES)
    assert operations(export_isolation_forest(forest)) == sum(t.tree_.max_depth for t in forest.estimators_)


def test_a_tree_that_is_one_leaf_costs_nothing() -> None:
    forest = IsolationForest(n_estimators=2, max_samples=16, random_state=3).fit(np.zeros((20, 2), np.float32))
    assert operations(export_isolation_forest(forest)) == sum(t.tree_.max_depth for t in forest.estimators_) == 0


def test_the_same_fit_costs_the_same() -> None:
    models = [autoencoder.fit(VALUES, {**autoencoder.DEFAULTS, "epochs": 1}, 7) for _ in range(2)]
    assert operations(models[0]) == operations(models[1])
