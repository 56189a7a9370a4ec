"""From a forest's graph and reference rows to the arrays that explain its scores."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from onnx import GraphProto, ModelProto, helper, numpy_helper

from serving.forest import Forest, steps

_UNVISITED = 1e-9
"""Reference rows that a leaf without any counts for: it is what a node without any expects, and nothing elsewhere."""
_CHUNK_ROWS = 1_000


def forest_of(model: bytes, inputs: NDArray[np.float32]) -> Forest | None:
    """The trees of a graph with the depths that reference rows (m, D), as the graph sees them, end at; None for a
    graph without trees."""
    graph = ModelProto.FromString(model).graph
    ensemble = next((node for node in graph.node if node.op_type == "TreeEnsembleRegressor"), None)
    if ensemble is None:
        return None
    values = {part.name: helper.get_attribute_value(part) for part in ensemble.attribute}
    tree, number = np.asarray(values["nodes_treeids"]), np.asarray(values["nodes_nodeids"])
    width = int(number.max()) + 1
    place = np.full((int(tree.max()) + 1) * width, -1)
    place[tree * width + number] = own = np.arange(len(tree))
    leaf = np.asarray(values["nodes_modes"]) == b"LEAF"
    yes, no = (
        np.where(leaf, own, place[tree * width + np.asarray(values[f"nodes_{side}nodeids"])])
        for side in ("true", "false")
    )
    depth = np.zeros(len(tree))
    ends = np.asarray(values["target_treeids"]) * width + np.asarray(values["target_nodeids"])
    depth[place[ends]] = values["target_weights"]
    parts, weights = _directions(graph, inputs.shape[1])
    trees = Forest(
        roots=np.flatnonzero(number == 0).astype(np.int32),
        column=np.asarray(values["nodes_featureids"], np.int32),
        threshold=np.asarray(values["nodes_values"], np.float32),
        yes=yes.astype(np.int32),
        no=no.astype(np.int32),
        expected=depth,
        parts=parts,
        weights=weights,
        exponent=np.array(_constant(graph, "negative"), np.float64),
    )
    return _expecting(trees, leaf, inputs)


def _expecting(trees: Forest, leaf: NDArray[np.bool_], inputs: NDArray[np.float32]) -> Forest:
    """The trees with the mean depth of the reference rows through each node."""
    count = _UNVISITED * leaf
    for start in range(0, len(inputs), _CHUNK_ROWS):
        ends = np.broadcast_to(trees.roots, (len(inputs[start : start + _CHUNK_ROWS]), len(trees.roots)))
        for _, reached in steps(trees, inputs[start : start + _CHUNK_ROWS]):
            ends = reached
        count += np.bincount(ends.ravel(), minlength=len(leaf))
    total = trees.expected * count
    for node in np.flatnonzero(~leaf)[::-1]:  # children come after their parents
        for sums in (count, total):
            sums[node] = sums[trees.yes[node]] + sums[trees.no[node]]
    return replace(trees, expected=total / count)


def _directions(graph: GraphProto, width: int) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """(p, m) columns and weights of what splits compare: one column each, or those of the directions' matrix."""
    matrix = next((numpy_helper.to_array(part) for part in graph.initializer if part.name == "directions"), None)
    if matrix is None:
        return np.arange(width, dtype=np.int32)[:, None], np.ones((width, 1), np.float32)
    most = max(1, int((matrix != 0).sum(axis=0).max()))
    parts = np.argsort(matrix == 0, axis=0, kind="stable")[:most].T
    return parts.astype(np.int32), np.take_along_axis(matrix.T, parts, axis=1).astype(np.float32)


def _constant(graph: GraphProto, name: str) -> float:
    return float(next(numpy_helper.to_array(part)[0] for part in graph.initializer if part.name == name))
