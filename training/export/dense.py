"""Autoencoder -> Gemm and Relu nodes, written directly."""

from collections.abc import Collection, Sequence

import numpy as np
from numpy.typing import NDArray
from onnx import helper, numpy_helper

from training.export.model import make_model


def export_autoencoder(
    weights: Sequence[tuple[NDArray[np.float32], NDArray[np.float32]]], relu_after: Collection[int]
) -> bytes:
    """Graph of ``errors = (network(x) - x)²`` and ``score = mean(errors)`` from (out, in) weights and (out,) biases.

    A NaN feature makes the score and every error that depends on it NaN; errors beyond float32 (|x| > 1e19) are inf.
    serving.scorer.Transform keeps its limit far inside that.
    """
    nodes, tensors, value = [], [], "features"
    for k, (weight, bias) in enumerate(weights):
        tensors += [numpy_helper.from_array(weight, f"weight{k}"), numpy_helper.from_array(bias, f"bias{k}")]
        nodes.append(helper.make_node("Gemm", [value, f"weight{k}", f"bias{k}"], [f"layer{k}"], transB=1))
        value = f"layer{k}"
        if k in relu_after:
            nodes.append(helper.make_node("Relu", [value], [f"relu{k}"]))
            value = f"relu{k}"
    width = weights[0][0].shape[1]
    # A matrix product, since ReduceMean rounds by where a row starts in memory: by its place in the batch.
    tensors.append(numpy_helper.from_array(np.full((width, 1), 1 / width, np.float32), "mean"))
    nodes += [
        helper.make_node("Sub", [value, "features"], ["difference"]),
        helper.make_node("Mul", ["difference", "difference"], ["errors"]),
        helper.make_node("MatMul", ["errors", "mean"], ["score"]),
    ]
    return make_model(nodes, tensors, width=width, errors=True)
