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
from training.detectors.registry import FAMILIES, family
from training.scaling import LIMIT

Scores = Callable[[NDArray[np.float32]], NDArray[np.floating]]

SMALL: dict[str, dict[str, float]] = {
    "isolation_forest": {"n_estimators": 20},
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


def onnx_reference(name: str) -> Scores:
    graph = ReferenceEvaluator(onnx.load_from_string(fit(name, make_values())))
    return lambda asked: graph.run(["score"], {"features": asked})[0].reshape(-1)


REFERENCES: dict[str, Callable[[str], Scores]] = {
    "isolation_forest": scikit_learn,
    "linear_autoencoder": onnx_reference,
    "autoencoder": onnx_reference,
}
"""A slow way to the scores of ``fitted(name)`` that shares as little as possible with its graph."""


def assert_parity(name: str, rows: int) -> None:
    """Scores agree to rtol 1e-5 and atol 1e-6, and no alert differs at a threshold calibrated for 1 % of the rows."""
    graph, reference = fitted(name), REFERENCES[name](name)
    asked = make_values(rows, seed=9) * np.random.default_rng(1).choice([0.3, 1, 5], (rows, 1)).astype(np.float32)
    asked[:4] = [[1e6] * 5, [-1e6] * 5, [1e6, -1e6, 0, 0, 0], [0] * 5]
    scores, slow = graph.score(asked), reference(asked)
    np.testing.assert_allclose(scores, slow, rtol=1e-5, atol=1e-6)
    threshold = float(np.quantile(graph.score(make_values(2_000, seed=5)), 0.99, method="higher"))
    assert 0 < alerts(threshold, scores).sum() < rows
    np.testing.assert_array_equal(alerts(threshold, scores), alerts(threshold, slow.astype(np.float32)))


@pytest.mark.parametrize("name", FAMILIES)
def test_a_graph_scores_as_its_reference_does(name: str) -> None:
    assert_parity(name, 5_000)


@pytest.mark.slow
@pytest.mark.parametrize("name", FAMILIES)
def test_a_graph_scores_many_rows_as_its_reference_does(name: str) -> None:
    assert_parity(name, 100_000)


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
