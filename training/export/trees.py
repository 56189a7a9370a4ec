"""Isolation Forest -> one TreeEnsembleRegressor node whose leaves hold isolation depths."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import TensorProto, helper
from sklearn.ensemble import IsolationForest

from training.export.model import make_model


def export_isolation_forest(forest: IsolationForest) -> bytes:
    """Score of Liu et al. 2008: ``2 ** (-mean depth / c(max_samples))``, equal to scikit-learn's ``-score_samples``.

    A leaf's depth is its distance from the root plus c(rows in the leaf). Thresholds are rounded down to float32:
    ``x <= t`` then decides every float32 x as the float64 threshold does.
    """
    parts: dict[str, list[NDArray[Any]]] = {
        key: [] for key in ("tree", "node", "feature", "value", "yes", "no", "leaf")
    }
    leaf_tree, leaf_node, leaf_depth = [], [], []
    for number, (tree, columns) in enumerate(zip(forest.estimators_, forest.estimators_features_, strict=True)):
        nodes = tree.tree_
        is_leaf = nodes.children_left == -1
        parts["tree"].append(np.full(nodes.node_count, number))
        parts["node"].append(np.arange(nodes.node_count))
        parts["feature"].append(np.where(is_leaf, 0, columns[np.maximum(nodes.feature, 0)]))
        parts["value"].append(np.where(is_leaf, 0, _round_down(nodes.threshold)))
        parts["yes"].append(np.where(is_leaf, 0, nodes.children_left))
        parts["no"].append(np.where(is_leaf, 0, nodes.children_right))
        parts["leaf"].append(is_leaf)
        depth = _depths(nodes.children_left, nodes.children_right) + _path_length(nodes.n_node_samples)
        leaf_tree.append(np.full(is_leaf.sum(), number))
        leaf_node.append(np.flatnonzero(is_leaf))
        leaf_depth.append(depth[is_leaf])
    joined = {key: np.concatenate(value) for key, value in parts.items()}
    leaves = np.concatenate(leaf_depth)
    trees = helper.make_node(
        "TreeEnsembleRegressor",
        ["features"],
        ["depth"],
        domain="ai.onnx.ml",
        aggregate_function="SUM",
        n_targets=1,
        nodes_treeids=joined["tree"].tolist(),
        nodes_nodeids=joined["node"].tolist(),
        nodes_featureids=joined["feature"].tolist(),
        nodes_values=joined["value"].astype(np.float32).tolist(),
        nodes_modes=np.where(joined["leaf"], "LEAF", "BRANCH_LEQ").tolist(),
        nodes_truenodeids=joined["yes"].tolist(),
        nodes_falsenodeids=joined["no"].tolist(),
        target_treeids=np.concatenate(leaf_tree).tolist(),
        target_nodeids=np.concatenate(leaf_node).tolist(),
        target_ids=[0] * len(leaves),
        target_weights=leaves.astype(np.float32).tolist(),
    )
    normal = len(forest.estimators_) * float(_path_length(np.array([forest.max_samples_]))[0])
    constants = {"negative": -1.0 / normal, "two": 2.0}
    return make_model(
        [
            trees,
            helper.make_node("Mul", ["depth", "negative"], ["exponent"]),
            helper.make_node("Pow", ["two", "exponent"], ["score"]),
        ],
        [helper.make_tensor(name, TensorProto.FLOAT, [1], [value]) for name, value in constants.items()],
        width=forest.n_features_in_,
    )


def _round_down(thresholds: NDArray[np.float64]) -> NDArray[np.float32]:
    near = thresholds.astype(np.float32)
    return np.where(near > thresholds, np.nextafter(near, np.float32(-np.inf)), near)


def _depths(left: NDArray[np.intp], right: NDArray[np.intp]) -> NDArray[np.float64]:
    depth = np.zeros(len(left))
    for node in range(len(left)):  # parents come before their children
        if left[node] != -1:
            depth[left[node]] = depth[right[node]] = depth[node] + 1
    return depth


def _path_length(rows: NDArray[np.int64]) -> NDArray[np.float64]:
    """c(n): mean depth of an unsuccessful search in a binary search tree of n rows (Liu et al. 2008, equation 1)."""
    n = rows.astype(np.float64)
    many = 2 * (np.log(np.maximum(n - 1, 1)) + np.euler_gamma) - 2 * (n - 1) / np.maximum(n, 1)
    return np.select([n <= 1, n == 2], [0.0, 1.0], many)
