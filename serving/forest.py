"""Isolation trees as arrays: the way a row takes through each, and what every split on it adds to the row's score."""

import io
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from features.errors import InputError

_FILE = "attribution.npz"


@dataclass(frozen=True)
class Forest:
    """N nodes of all trees, parents before their children, and the p directions that splits compare.

    roots: (t,) node of each tree's root; column: (N,) the direction a node compares; threshold: (N,) float32, at most
    this goes to ``yes``, all else to ``no``, (N,) nodes, a leaf's own number in leaves; expected: (N,) float64 mean
    depth that reference rows through the node end at, in leaves their depth; parts: (p, m) input columns of each
    direction and weights: (p, m) float32 theirs; exponent: score = 2 ** (exponent · sum of depths).
    """

    roots: NDArray[np.int32]
    column: NDArray[np.int32]
    threshold: NDArray[np.float32]
    yes: NDArray[np.int32]
    no: NDArray[np.int32]
    expected: NDArray[np.float64]
    parts: NDArray[np.int32]
    weights: NDArray[np.float32]
    exponent: NDArray[np.float64]

    @property
    def ordinary(self) -> float:
        """The score of the expected path: of a row that ends at the mean depth of the reference rows in all trees."""
        return float(2.0 ** (self.exponent * self.expected[self.roots].sum()))


def write_forest(forest: Forest) -> bytes:
    """``attribution.npz``; the same arrays give the same bytes."""
    buffer = io.BytesIO()
    np.savez_compressed(
        buffer, allow_pickle=False, **{field.name: getattr(forest, field.name) for field in fields(forest)}
    )
    return buffer.getvalue()


def read_forest(content: bytes, width: int) -> Forest:
    """The forest behind ``attribution.npz`` over inputs of that width. Raises InputError naming what does not fit."""
    names = {field.name for field in fields(Forest)}
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as found:
            arrays = {name: found[name] for name in found.files}
    except (OSError, ValueError, KeyError, EOFError, NotImplementedError, zipfile.BadZipFile, zlib.error) as error:
        raise InputError(_FILE, f"cannot be read ({str(error).splitlines()[0]})") from error
    if set(arrays) != names:
        raise InputError(_FILE, f"must hold exactly {sorted(names)}", sorted(arrays))
    forest = Forest(**arrays)
    nodes, own = len(forest.column), np.arange(len(forest.column))
    by_node = (forest.threshold, forest.yes, forest.no, forest.expected)
    if any(array.shape != (nodes,) for array in by_node) or forest.exponent.shape != ():
        raise InputError(_FILE, "must hold one threshold, yes, no and expected depth a node, and one exponent")
    if forest.parts.ndim != 2 or forest.parts.shape != forest.weights.shape:
        raise InputError(_FILE, "must hold one weight a part of a direction", forest.weights.shape)
    for name, limit in (
        ("roots", nodes),
        ("column", len(forest.parts)),
        ("parts", width),
        ("yes", nodes),
        ("no", nodes),
    ):
        array = getattr(forest, name)
        if array.dtype.kind != "i" or not array.size or array.min() < 0 or array.max() >= limit:
            raise InputError(_FILE, f"every one of {name} must be a whole number from 0 to {limit - 1}")
    if (forest.yes < own).any() or (forest.no < own).any() or ((forest.yes == own) != (forest.no == own)).any():
        raise InputError(_FILE, "every node must be a leaf or come before its two children")
    if not (np.isfinite(forest.expected).all() and np.isfinite(forest.exponent) and forest.exponent < 0):
        raise InputError(_FILE, "expected depths must be finite and the exponent below 0")
    return forest


def credits(forest: Forest, inputs: NDArray[np.float32]) -> NDArray[np.float64]:
    """(k, D) what each input column adds to the scores of (k, D) inputs; a row's sum is its score less ``ordinary``.

    A split takes a row from a node whose reference rows end at one mean depth to one with another: the difference is
    the split's credit, and the credits on a path sum to the depth reached less that of the expected path (Saabas 2014,
    for regression forests). It goes to the column that the split compares; a direction of several columns shares it by
    the size of what each adds to the projection, inputs being deviations from the ordinary row. Depth is a logarithm of
    the score: the logarithmic mean of the two scores turns credits of one into exact credits of the other (Ang 2004).
    """
    (k, width), p = inputs.shape, len(forest.parts)
    added = inputs[:, forest.parts] * forest.weights  # (k, p, m)
    rows, by_direction = np.arange(k)[:, None], np.zeros(k * p)
    depths = np.full(k, forest.expected[forest.roots].sum())
    for node, reached in steps(forest, inputs):
        credit = forest.expected[reached] - forest.expected[node]
        by_direction += np.bincount((rows * p + forest.column[node]).ravel(), credit.ravel(), k * p)
        depths += credit.sum(axis=1)
    sizes = np.abs(added.astype(np.float64))
    totals = sizes.sum(axis=2, keepdims=True)
    shares = np.divide(sizes, totals, out=np.full_like(sizes, 1 / sizes.shape[2]), where=totals > 0)
    amounts = np.zeros((k, width))
    for part in range(shares.shape[2]):
        np.add.at(amounts, (rows, forest.parts[:, part]), by_direction.reshape(k, p) * shares[:, :, part])
    return amounts * _score_by_depth(forest, depths)[:, None]


def steps(forest: Forest, inputs: NDArray[np.float32]) -> Iterator[tuple[NDArray[np.int32], NDArray[np.int32]]]:
    """(k, t) nodes that (k, D) inputs are in and the next ones, in every tree, until all are in leaves.

    A projection is summed as the graph sums it, so that a row takes the way it took there.
    """
    projections = (inputs[:, forest.parts] * forest.weights).sum(axis=2)
    rows, node = np.arange(len(inputs))[:, None], np.tile(forest.roots, (len(inputs), 1))
    while True:
        below = projections[rows, forest.column[node]] <= forest.threshold[node]
        reached = np.where(below, forest.yes[node], forest.no[node])
        if (reached == node).all():
            return
        yield node, reached
        node = reached


def _score_by_depth(forest: Forest, depths: NDArray[np.float64]) -> NDArray[np.float64]:
    """(k,) what a credit in depth is worth in score: exponent · ln 2 · logarithmic mean of score and ordinary score."""
    rate = np.log(2) * forest.exponent
    away = rate * (depths - forest.expected[forest.roots].sum())
    mean = np.where(np.abs(away) < 1e-12, 1.0, np.expm1(away) / np.where(away == 0, 1.0, away))
    return np.asarray(rate * forest.ordinary * mean)
