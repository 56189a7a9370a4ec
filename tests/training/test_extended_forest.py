"""Extended forests: exact projections, cuts that always part a node, and anomalies that a plain forest overlooks."""

from collections.abc import Mapping

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from serving.graph import Graph
from training.detectors import extended_forest, isolation_forest
from training.detectors.cuts import Cut, fair_cuts, random_cuts
from training.export.hyperplanes import export_hyperplanes

RNG = np.random.default_rng(0)


def make_values(n: int = 2_000, d: int = 5, seed: int = 0) -> NDArray[np.float32]:
    return np.random.default_rng(seed).standard_t(3, (n, d)).astype(np.float32)


def with_(**parameters: float) -> Mapping[str, float]:
    return {**extended_forest.DEFAULTS, "n_estimators": 20, **parameters}


@pytest.mark.parametrize("d", [2, 10, 200])
def test_a_projection_has_the_same_bits_alone_and_in_a_matrix_product(d: int) -> None:
    values = make_values(300, d) * np.float32(1e3)
    directions, _, _ = extended_forest.grow(values, with_(), 3)
    product = values @ directions.matrix(d)
    for k in range(product.shape[1]):
        np.testing.assert_array_equal(directions.project(values, np.full(300, k)), product[:, k])


def test_a_direction_joins_two_features_with_weights_that_are_powers_of_two() -> None:
    directions, _, _ = extended_forest.grow(make_values(d=7), with_(), 3)
    matrix = directions.matrix(7)
    assert np.all((matrix != 0).sum(axis=0) == 2)
    assert np.all(matrix.max(axis=0) == 1)
    assert set(np.unique(np.frexp(matrix[matrix != 0])[0])) == {-0.5, 0.5}


def test_one_feature_a_direction_is_each_feature_itself() -> None:
    directions, _, _ = extended_forest.grow(make_values(d=7), with_(ndim=1), 3)
    np.testing.assert_array_equal(directions.matrix(7), np.eye(7))


@pytest.mark.parametrize("cut", [random_cuts, fair_cuts])
def test_a_cut_leaves_a_row_on_either_side_and_says_where_it_cannot(cut: Cut) -> None:
    near = np.nextafter(np.float32(1e6), np.float32(2e6))
    nodes = [[1e6, near], [near, 1e6, near], [5, 5, 5], [0], [-1e6, 1e6, 0], [0, 1e-40]]
    starts = np.cumsum([0, *(len(node) for node in nodes[:-1])])
    threshold, gain = cut(np.concatenate(nodes).astype(np.float32), starts, RNG)
    assert (gain >= 0).tolist() == [True, True, False, False, True, True]
    for at, node, value in zip(threshold, nodes, gain, strict=True):
        sides = np.array(node, np.float32) <= at
        assert value < 0 or 0 < sides.sum() < len(node)


def test_a_fair_cut_parts_two_clusters_whatever_the_other_nodes_hold() -> None:
    clusters = np.concatenate([RNG.normal(0, 1e-3, 50), RNG.normal(1, 1e-3, 20)])
    threshold, gain = fair_cuts(
        np.concatenate([RNG.normal(0, 1e6, 500), clusters]).astype(np.float32), np.array([0, 500]), RNG
    )
    assert 0.1 < threshold[1] < 0.9
    assert gain[1] > 0.99


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_every_tree_grows_from_its_own_sample_to_single_rows_or_the_depth_limit(share: float) -> None:
    _, trees, samples = extended_forest.grow(make_values(), with_(fair_share=share, max_samples=64), 3)
    assert samples == 64
    np.testing.assert_array_equal(np.unique(trees.tree), np.arange(20))
    branches = np.bincount(trees.tree[~trees.leaf])
    np.testing.assert_array_equal(np.bincount(trees.tree[trees.leaf]), branches + 1)
    assert trees.depth[trees.leaf].min() >= 1
    assert branches.max() <= 63


def test_a_forest_takes_fewer_rows_than_its_sample_size() -> None:
    values = make_values(50)
    _, _, samples = extended_forest.grow(values, with_(), 3)
    assert samples == 50
    assert np.isfinite(Graph(extended_forest.fit(values, with_(), 3)).score(values)).all()


def test_a_graph_holds_only_directions_that_a_split_uses() -> None:
    values = make_values()
    directions, trees, samples = extended_forest.grow(values, with_(n_estimators=1, max_samples=16), 3)
    small, all_used = (
        export_hyperplanes(directions.matrix(5), trees, samples),
        extended_forest.fit(values, with_(), 3),
    )
    assert len(small) < 5 * 4 * 256 < len(all_used)


def test_a_missing_value_makes_every_projection_missing_which_is_above_every_threshold() -> None:
    graph = Graph(extended_forest.fit(make_values(), with_(), 3))
    asked = make_values(3)
    asked[0], asked[1, 2] = np.nan, np.nan
    scores = graph.score(asked)
    assert np.isfinite(scores).all()
    assert scores[0] == scores[1] != scores[2]


def test_rows_off_a_line_stand_out_more_than_in_a_plain_forest() -> None:
    rng = np.random.default_rng(1)
    along = rng.normal(0, 3, 2_000)
    values = np.column_stack([along, along + rng.normal(0, 0.3, 2_000), rng.normal(size=2_000)]).astype(np.float32)
    label = np.arange(2_000) < 40
    values[label, 1] = rng.permutation(along[:40])
    extended = Graph(extended_forest.fit(values, extended_forest.DEFAULTS, 3)).score(values)
    plain = Graph(isolation_forest.fit(values, isolation_forest.DEFAULTS, 3)).score(values)
    assert roc_auc_score(label, extended) > roc_auc_score(label, plain) + 0.05
