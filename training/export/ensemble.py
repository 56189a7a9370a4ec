"""Isolation trees -> one TreeEnsembleRegressor node whose leaves hold depths, and the score from their mean."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from onnx import NodeProto, TensorProto, helper

from training.export.model import make_model


@dataclass(frozen=True)
class Trees:
    """Nodes of all trees, tree after tree, each from its root on; every array is (nodes,)."""

    tree: NDArray[np.intp]
    """number of its tree"""
    node: NDArray[np.intp]
    """its number within its tree, from 0, the root"""
    column: NDArray[np.intp]
    """what it compares with its threshold; 0 in leaves"""
    threshold: NDArray[np.float32]
    """at most this goes to ``yes``, all else to ``no``; 0 in leaves"""
    yes: NDArray[np.intp]
    """number of that child; 0 in leaves"""
    no: NDArray[np.intp]
    """number of the other child; 0 in leaves"""
    leaf: NDArray[np.bool_]
    depth: NDArray[np.float64]
    """expected depth of a row that ends here: distance from the root plus ``path_length`` of the rows in the leaf"""


def export_trees(
    trees: Trees,
    samples: int,
    width: int,
    *,
    source: str = "features",
    before: Sequence[NodeProto] = (),
    tensors: Sequence[TensorProto] = (),
) -> bytes:
    """Graph of Liu et al. 2008: ``score = 2 ** (-mean depth / path_length(samples))``.

    samples: rows that each tree was grown on. source: the value whose columns the trees compare; ``before`` makes it
    from the (n, width) features.
    """
    leaves = trees.leaf
    ensemble = helper.make_node(
        "TreeEnsembleRegressor",
        [source],
        ["depth"],
        domain="ai.onnx.ml",
        aggregate_function="SUM",
        n_targets=1,
        nodes_treeids=trees.tree.tolist(),
        nodes_nodeids=trees.node.tolist(),
        nodes_featureids=trees.column.tolist(),
        nodes_values=trees.threshold.tolist(),
        nodes_modes=np.where(leaves, "LEAF", "BRANCH_LEQ").tolist(),
        nodes_truenodeids=trees.yes.tolist(),
        nodes_falsenodeids=trees.no.tolist(),
        target_treeids=trees.tree[leaves].tolist(),
        target_nodeids=trees.node[leaves].tolist(),
        target_ids=[0] * int(leaves.sum()),
        target_weights=trees.depth[leaves].astype(np.float32).tolist(),
    )
    normal = (int(trees.tree.max()) + 1) * float(path_length(np.array([samples]))[0])
    constants = {"negative": -1.0 / normal, "two": 2.0}
    return make_model(
        [
            *before,
            ensemble,
            helper.make_node("Mul", ["depth", "negative"], ["exponent"]),
            helper.make_node("Pow", ["two", "exponent"], ["score"]),
        ],
        [*tensors, *(helper.make_tensor(name, TensorProto.FLOAT, [1], [value]) for name, value in constants.items())],
        width=width,
    )


def join(parts: Sequence[Trees]) -> Trees:
    """The trees of all parts, numbered on from part to part."""
    joined = {key: np.concatenate([vars(part)[key] for part in parts]) for key in vars(parts[0])}
    counts = [int(part.tree.max()) + 1 for part in parts]
    joined["tree"] += np.repeat(np.cumsum([0, *counts[:-1]]), [len(part.tree) for part in parts])
    return Trees(**joined)


def round_down(thresholds: NDArray[np.float64]) -> NDArray[np.float32]:
    """The float32 at or below each: ``x <= t`` then decides every float32 x as the float64 threshold does."""
    near = thresholds.astype(np.float32)
    return np.where(near > thresholds, np.nextafter(near, np.float32(-np.inf)), near)


def path_length(rows: NDArray[np.int64]) -> NDArray[np.float64]:
    """c(n): mean depth of an unsuccessful search in a binary search tree of n rows (Liu et al. 2008, equation 1)."""
    n = rows.astype(np.float64)
    many = 2 * (np.log(np.maximum(n - 1, 1)) + np.euler_gamma) - 2 * (n - 1) / np.maximum(n, 1)
    return np.select([n <= 1, n == 2], [0.0, 1.0], many)
