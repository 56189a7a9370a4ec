"""The frame every exported graph shares: features (n, d) float32 -> score (n, 1) and perhaps errors (n, d), float32."""

from collections.abc import Sequence

from onnx import ModelProto, NodeProto, TensorProto, checker, helper


def make_model(nodes: Sequence[NodeProto], tensors: Sequence[TensorProto], width: int, errors: bool = False) -> bytes:
    """A checked ONNX model as bytes; the same nodes give the same bytes.

    errors: the nodes also make ``errors`` (n, d), what each feature adds to the score.
    """
    outputs = [helper.make_tensor_value_info("score", TensorProto.FLOAT, ["n", 1])]
    if errors:
        outputs.append(helper.make_tensor_value_info("errors", TensorProto.FLOAT, ["n", width]))
    graph = helper.make_graph(
        list(nodes),
        "vigia",
        [helper.make_tensor_value_info("features", TensorProto.FLOAT, ["n", width])],
        outputs,
        list(tensors),
    )
    opsets = [helper.make_opsetid("", 21), helper.make_opsetid("ai.onnx.ml", 3)]
    model: ModelProto = helper.make_model(graph, opset_imports=opsets, producer_name="vigia")
    model.ir_version = 10
    checker.check_model(model)
    content: bytes = model.SerializeToString(deterministic=True)
    return content
