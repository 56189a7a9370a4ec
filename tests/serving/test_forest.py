"""The trees behind reasons: the credits of a row's path are its score, and arrays that are no trees are refused."""

import io
from typing import Any

import numpy as np
import pytest

from features.errors import InputError
from serving.forest import Forest, credits, read_forest, write_forest
from serving.graph import Graph
from training.detectors.registry import family
from training.export.attribution import forest_of

KINDS = {
    "plain": ("isolation_forest", {}),
    "some features a tree": ("isolation_forest", {"max_features": 0.5, "bootstrap": True}),
    "hyperplanes": ("extended_forest", {}),
    "one feature a split": ("extended_forest", {"ndim": 1}),
}


def fitted(kind: str, width: int = 6) -> tuple[Graph, Forest, np.ndarray]:
    name, changes = KINDS[kind]
    detector, rows = family(name), np.random.default_rng(0).normal(size=(800, width)).astype(np.float32)
    model = detector.fit(rows, {**detector.defaults, "n_estimators": 40, **changes}, seed=3)
    forest = forest_of(model, rows)
    assert forest is not None
    return Graph(model), forest, rows


@pytest.fixture(scope="module")
def hyperplanes() -> tuple[Graph, Forest, np.ndarray]:
    return fitted("hyperplanes")


@pytest.mark.parametrize("kind", KINDS)
def test_the_credits_of_a_row_sum_to_its_score_less_the_ordinary_one(kind: str) -> None:
    graph, forest, rows = fitted(kind)
    wild = np.r_[rows[:200], rows[:200] * 20].astype(np.float32)
    assert forest.ordinary + credits(forest, wild).sum(axis=1) == pytest.approx(graph.score(wild), abs=2e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_the_ordinary_score_is_that_of_the_mean_depth_of_the_reference_rows(kind: str) -> None:
    graph, forest, rows = fitted(kind)
    assert np.log2(forest.ordinary) == pytest.approx(np.log2(graph.score(rows)).mean(), abs=1e-6)


@pytest.mark.parametrize("kind", ["plain", "hyperplanes"])
def test_a_feature_far_out_alone_takes_the_credit(kind: str) -> None:
    _, forest, rows = fitted(kind)
    quiet = np.clip(rows[:300], -0.5, 0.5)
    for feature in range(6):
        wild = quiet.copy()
        wild[:, feature] = 12
        found = credits(forest, wild)
        assert (found.argmax(axis=1) == feature).mean() > 0.9
        assert found[:, feature].mean() > 0.5 * found.clip(0).sum(axis=1).mean()


def test_a_direction_is_shared_by_what_each_feature_adds_to_it() -> None:
    """One cut at 4 along the first feature less half the second: 3 + 2 is beyond it, three fifths by the first."""
    forest = Forest(
        roots=np.array([0], np.int32),
        column=np.zeros(3, np.int32),
        threshold=np.array([4, 0, 0], np.float32),
        yes=np.array([1, 1, 2], np.int32),
        no=np.array([2, 1, 2], np.int32),
        expected=np.array([5.0, 6.0, 1.0]),
        parts=np.array([[0, 1]], np.int32),
        weights=np.array([[1, -0.5]], np.float32),
        exponent=np.array(-0.25),
    )
    found = credits(forest, np.array([[3, -4, 0], [0, 0, 0]], np.float32))
    excess = 2 ** (-0.25 * 1.0) - 2 ** (-0.25 * 5.0)
    assert found[0] == pytest.approx([0.6 * excess, 0.4 * excess, 0.0])
    assert found[1].sum() == pytest.approx(2 ** (-0.25 * 6.0) - 2 ** (-0.25 * 5.0))
    assert found[1, 2] == 0.0


def test_rows_that_no_tree_can_tell_apart_have_no_credits() -> None:
    same = np.zeros((300, 2), np.float32)
    model = family("isolation_forest").fit(same, {**family("isolation_forest").defaults, "n_estimators": 3}, 1)
    forest = forest_of(model, same)
    assert forest is not None
    assert credits(forest, np.full((2, 2), 9, np.float32)).tolist() == [[0.0, 0.0], [0.0, 0.0]]


def test_a_graph_without_trees_has_no_forest() -> None:
    rows = np.random.default_rng(0).normal(size=(300, 4)).astype(np.float32)
    detector = family("linear_autoencoder")
    assert forest_of(detector.fit(rows, detector.defaults, 1), rows) is None


def test_the_file_repeats_to_the_byte_and_reads_back(hyperplanes: tuple[Graph, Forest, np.ndarray]) -> None:
    _, forest, rows = hyperplanes
    content = write_forest(forest)
    assert content == write_forest(fitted("hyperplanes")[1])
    assert (credits(read_forest(content, 6), rows[:9]) == credits(forest, rows[:9])).all()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"yes": lambda a: np.zeros_like(a)}, "every node must be a leaf or come before its two children"),
        ({"no": lambda a: a + len(a)}, "every one of no must be a whole number from 0 to"),
        ({"no": lambda a: np.arange(len(a), dtype=np.int32)}, "every node must be a leaf or come before"),
        ({"column": lambda a: a - 1}, "every one of column must be a whole number"),
        ({"parts": lambda a: a + 6}, "every one of parts must be a whole number from 0 to 5"),
        ({"roots": lambda a: a[:0]}, "every one of roots must be"),
        ({"roots": lambda a: a.astype(np.float64)}, "every one of roots must be"),
        ({"threshold": lambda a: a[:-1]}, "must hold one threshold, yes, no and expected depth a node"),
        ({"weights": lambda a: a[:, :1]}, "must hold one weight a part"),
        ({"expected": lambda a: a * np.nan}, "expected depths must be finite"),
        ({"exponent": lambda a: -a}, "the exponent below 0"),
    ],
)
def test_arrays_that_are_no_trees_are_refused(
    hyperplanes: tuple[Graph, Forest, np.ndarray], changes: dict[str, Any], message: str
) -> None:
    arrays = {**vars(hyperplanes[1])}
    for name, change in changes.items():
        arrays[name] = change(arrays[name])
    with pytest.raises(InputError, match=rf"attribution\.npz: .*{message}"):
        read_forest(write_forest(Forest(**arrays)), 6)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 no zip", b"\x93NUMPY"])
def test_other_bytes_are_refused(content: bytes) -> None:
    with pytest.raises(InputError, match=r"attribution\.npz: cannot be read"):
        read_forest(content, 6)


def test_nothing_is_unpickled(hyperplanes: tuple[Graph, Forest, np.ndarray]) -> None:
    arrays = {**vars(hyperplanes[1]), "roots": np.array([{"a": 1}], object)}
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    with pytest.raises(InputError, match=r"attribution\.npz: cannot be read .*[Pp]ickle"):
        read_forest(buffer.getvalue(), 6)


def test_a_missing_array_is_named(hyperplanes: tuple[Graph, Forest, np.ndarray]) -> None:
    buffer = io.BytesIO()
    np.savez(buffer, roots=hyperplanes[1].roots)
    with pytest.raises(InputError, match=r"must hold exactly .*'exponent'"):
        read_forest(buffer.getvalue(), 6)
