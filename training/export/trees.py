"""scikit-learn's Isolation Forest as trees to export."""

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import IsolationForest

from training.export.ensemble import Trees, export_trees, join, path_length, round_down


def export_isolation_forest(forest: IsolationForest) -> bytes:
    """Score of Liu et al. 2008: ``2 ** (-mean depth / c(max_samples))``, equal to scikit-learn's ``-score_samples``.

    Thresholds are rounded down to float32, so that every float32 goes the way it goes in scikit-learn. A missing value
    goes the way of values above every threshold.
    """
    parts: list[Trees] = []
    for tree, columns in zip(forest.estimators_, forest.estimators_features_, strict=True):
        nodes = tree.tree_
        leaf = nodes.children_left == -1
        parts.append(
            Trees(
                tree=np.zeros(nodes.node_count, np.intp),
                node=np.arange(nodes.node_count),
                column=np.where(leaf, 0, columns[np.maximum(nodes.feature, 0)]),
                threshold=np.where(leaf, np.float32(0), round_down(nodes.threshold)),
                yes=np.where(leaf, 0, nodes.children_left),
                no=np.where(leaf, 0, nodes.children_right),
                leaf=leaf,
                depth=_depths(nodes.children_left, nodes.children_right) + path_length(nodes.n_node_samples),
            )
        )
    return export_trees(join(parts), forest.max_samples_, forest.n_features_in_)


def _depths(left: NDArray[np.intp], right: NDArray[np.intp]) -> NDArray[np.float64]:
    depth = np.zeros(len(left))
    for node in range(len(left)):  # parents come before their children
        if left[node] != -1:
            depth[left[node]] = depth[right[node]] = depth[node] + 1
    return depth
