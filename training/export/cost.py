"""What a graph costs a row, counted from its nodes: the same on every machine, unlike a stopwatch."""

from math import prod

import numpy as np
from onnx import ModelProto, NodeProto, helper


def operations(model: bytes) -> int:
    """Multiply-adds of the matrix products and comparisons in the trees, at most, for one row.

    A tree counts with its deepest path. Elementwise nodes are left out: they are as many as the features.
    """
    graph = ModelProto.FromString(model).graph
    sizes = {tensor.name: prod(tensor.dims) for tensor in graph.initializer}
    total = 0
    for node in graph.node:
        if node.op_type in ("MatMul", "Gemm"):
            total += max(sizes.get(name, 0) for name in node.input[:2])
        elif node.op_type.startswith("TreeEnsemble"):
            total += _deepest_paths(node)
    return total


def _deepest_paths(node: NodeProto) -> int:
    """Comparisons on the longest way from the root to a leaf, summed over the trees."""
    values = {part.name: helper.get_attribute_value(part) for part in node.attribute}
    tree, number = np.asarray(values["nodes_treeids"]), np.asarray(values["nodes_nodeids"])
    branch = np.asarray(values["nodes_modes"]) != b"LEAF"
    width = int(number.max()) + 1
    place = np.full((int(tree.max()) + 1) * width, -1)
    place[tree * width + number] = np.arange(len(tree))
    level, total = np.flatnonzero(number == 0), 0
    while len(level := level[branch[level]]):
        total += len(np.unique(tree[level]))
        below = np.concatenate([np.asarray(values[f"nodes_{side}nodeids"])[level] for side in ("true", "false")])
        level = place[np.tile(tree[level], 2) * width + below]
    return total
