"""Forests that split along hyperplanes -> one MatMul to their directions, then one tree node."""

import numpy as np
from numpy.typing import NDArray
from onnx import helper, numpy_helper

from training.export.ensemble import Trees, export_trees


def export_hyperplanes(directions: NDArray[np.float32], trees: Trees, samples: int) -> bytes:
    """Score of ``trees`` over the projections ``features @ directions``; only directions that a split uses are kept.

    directions: (d, p), in each column at most two weights, of which one is 1 and the other ± a power of two: then a
    projection is one exact product and one rounded sum (subnormal values apart), the same bits in any kernel, batch
    and CPU, and every row is on the side of a threshold on which it was in the fit. A NaN feature makes all projections
    NaN, which is above every threshold: a finite score without meaning.
    """
    used, column = np.unique(trees.column, return_inverse=True)
    kept = Trees(**{**vars(trees), "column": column.reshape(-1)})
    return export_trees(
        kept,
        samples,
        len(directions),
        source="projections",
        before=[helper.make_node("MatMul", ["features", "directions"], ["projections"])],
        tensors=[numpy_helper.from_array(np.ascontiguousarray(directions[:, used]), "directions")],
    )
