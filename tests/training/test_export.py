"""The conformance suite: what every detector family's ONNX graph must pass; a family adds itself to FAMILIES."""

from collections.abc import Callable, Mapping
from functools import cache

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx.reference import ReferenceEvaluator
from sklearn.ensemble import IsolationForest

from features.errors import InputError
from serving.graph import Graph
from serving.scorer import Scorer, Transform, score
from serving.verdict import alerts
from training.detectors import extended_forest
from training.detectors.registry import FAMILIES, family
from training.export.ensemble import path_length
from training.scaling import LIMIT

Scores = Callable[[NDArray[np.float32]], NDArray[np.floating]]

SMALL: dict[str, dict[str, float]] = {
    "isolation_forest": {"n_estimators": 20},
    "extended_forest": {"n_estimators": 20},
    "autoencoder": {"epochs": 2, "width": 8},
}
UNSEEDED = {"linear_autoencoder"}  # families that draw nothing
SEED = 3


def make_values(n: int = 2_000, d: int = 5, seed: int = 0) -> NDArray[np.float32]:
    return np.random.default_rng(seed).standard_t(3, (n, d)).astype(np.float32)


def parameters_of(name: str) -> Mapping[str, float]:
    return {**family(name).defaults, **SMALL.get(name, {})}


def fit(name: str, values: NDArray[np.float32], seed: int = SEED) -> bytes:
    return family(name).fit(values, parameters_of(name), seed)


@cache
def fitted(name: str) -> Graph:
    return Graph(fit(name, make_values()))


def scikit_learn(name: str) -> Scores:
    forest = IsolationForest(**parameters_of(name), random_state=SEED).fit(make_values())
    return lambda asked: -forest.score_samples(asked)


def walk(name: str) -> Scores:
    """Row by row of features down each tree, with projections that are sums of two features."""
    directions, trees, samples = extended_forest.grow(make_values(), parameters_of(name), SEED)
    roots = np.flatnonzero(np.diff(trees.tree, prepend=-1))
    index = {(tree, node): k for k, (tree, node) in enumerate(zip(trees.tree, trees.node, strict=True))}
    yes, no = (
        np.array([index.get(pair, -1) for pair in zip(trees.tree, ids, strict=True)]) for ids in (trees.yes, trees.no)
    )

    def score_rows(asked: NDArray[np.float32]) -> NDArray[np.float64]:
        depth = np.zeros(len(asked))
        for root in roots:
            at = np.full(len(asked), root)
            while not trees.leaf[at].all():
                left = directions.project(asked, trees.column[at]) <= trees.threshold[at]
                at = np.where(trees.leaf[at], at, np.where(left, yes[at], no[at]))
            depth += trees.depth[at]
        scores: NDArray[np.float64] = 2 ** (-depth / len(roots) / path_length(np.array([samples])))
        return scores

    return score_rows


def onnx_reference(name: str) -> Scores:
    graph = ReferenceEvaluator(onnx.load_from_string(fit(name, make_values())))
    return lambda asked: graph.run(["score"], {"features": asked})[0].reshape(-1)


REFERENCES: dict[str, Callable[[str], Scores]] = {
    "isolation_forest": scikit_learn,
    "extended_forest": walk,
    "linear_autoencoder": onnx_reference,
    "autoencoder": onnx_reference,
}
"""A slow way to the scores of ``fitted(name)`` that shares as little as possible with its graph."""


@pytest.mark.parametrize("name", FAMILIES)
def test_a_graph_scores_as_its_reference_does_and_alerts_where_it_does(name: str) -> None:
    rows = 100_000
    graph, reference = fitted(name), REFERENCES[name](name)
    asked = make_values(rows, seed=9) * np.random.default_rng(1).choice([0.3, 1, 5], (rows, 1)).astype(np.float32)
    asked[:4] = np.array([[1e6] * 5, [-1e6] * 5, [1e6, -1e6, 0, 0, 0], [0] * 5], np.float32)
    scores, slow = graph.score(asked), reference(asked)
    np.testing.assert_allclose(scores, slow, rtol=1e-5, atol=1e-6)
    threshold = float(np.quantile(graph.score(make_values(2_000, seed=5)), 0.99, method="higher"))
    assert 0 < alerts(threshold, scores).sum() < rows
    np.testing.assert_array_equal(alerts(threshold, scores), alerts(threshold, slow.astype(np.float32)))


@pytest.mark.parametrize("name", ["isolation_forest", "extended_forest"])
def test_rows_on_a_threshold_score_as_the_reference_does(name: str) -> None:
    (node,) = [n for n in onnx.load_from_string(fit(name, make_values())).graph.node if n.domain == "ai.onnx.ml"]
    values = next(np.array(a.floats, np.float32) for a in node.attribute if a.name == "nodes_values")
    cuts = np.random.default_rng(0).choice(values[values != 0], 300, replace=False)
    on, above = (np.kron(np.eye(5, dtype=np.float32), c[:, None]) for c in (cuts, np.nextafter(cuts, np.float32(9))))
    reference, graph = REFERENCES[name](name), fitted(name)
    np.testing.assert_allclose(graph.score(on), reference(on), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(graph.score(above), reference(above), rtol=1e-5, atol=1e-6)
    assert (graph.score(on) != graph.score(above)).sum() > 30  # rows do lie on thresholds


@pytest.mark.parametrize("name", FAMILIES)
@pytest.mark.parametrize("wild", [np.inf, 1e30, -np.inf, -1e30])
def test_values_beyond_the_limit_score_as_the_limit_does(name: str, wild: float) -> None:
    scorer = Scorer(Transform(np.zeros(5), np.ones(5), LIMIT), fitted(name))
    rows = make_values(50).astype(np.float64)
    rows[np.arange(50), np.arange(50) % 5] = wild
    scores = score(scorer, rows)
    assert np.isfinite(scores).all()
    np.testing.assert_array_equal(scores, score(scorer, np.clip(rows, -LIMIT, LIMIT)))


@pytest.mark.parametrize("name", FAMILIES)
@pytest.mark.parametrize("size", [1, 7, 1_000, 10_000])
def test_a_row_has_the_same_score_in_any_batch(name: str, size: int) -> None:
    values, graph = make_values(10_000, seed=4), fitted(name)
    parts = [graph.score(values[start : start + size]) for start in range(0, min(10_000, size * 500), size)]
    found = np.concatenate(parts)
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, graph.score(values)[: len(found)])


@pytest.mark.parametrize("name", FAMILIES)
@pytest.mark.parametrize("size", [2, 3, 4, 5, 16, 17, 33, 64, 100, 299])
def test_a_row_has_the_same_score_in_small_batches(name: str, size: int) -> None:
    values, graph = make_values(300), fitted(name)
    parts = [graph.score(values[start : start + size]) for start in range(0, 300, size)]
    np.testing.assert_array_equal(np.concatenate(parts), graph.score(values))


@pytest.mark.parametrize("name", FAMILIES)
def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(name: str) -> None:
    values = make_values()
    first = fit(name, values)
    assert first == fit(name, values)
    assert (first == fit(name, values, seed=4)) == (name in UNSEEDED)


@pytest.mark.parametrize("name", FAMILIES)
def test_a_far_row_scores_higher_than_the_rows_it_was_fitted_on(name: str) -> None:
    values = np.random.default_rng(0).normal(0, 1, (1_000, 4)).astype(np.float32)
    graph = Graph(fit(name, values))
    far = graph.score(np.array([[8, -8, 8, -8]], np.float32))
    assert far[0] > np.quantile(graph.score(values), 0.99)


@pytest.mark.parametrize("name", FAMILIES)
def test_a_detector_takes_one_feature_and_constant_ones(name: str) -> None:
    for values in (make_values(100, d=1), np.zeros((100, 3), np.float32)):
        assert np.isfinite(Graph(fit(name, values)).score(values)).all()


@pytest.mark.parametrize("name", FAMILIES)
def test_no_rows_have_no_scores(name: str) -> None:
    assert fitted(name).score(np.empty((0, 5), np.float32)).shape == (0,)


def test_an_unknown_family_is_refused() -> None:
    with pytest.raises(InputError, match=r"search\.families: must be one of isolation_forest, .*, got 'svm'"):
        family("svm")
