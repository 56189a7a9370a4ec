"""The onnxruntime door: a detector as an ONNX graph that gives the same row the same score in any batch."""

import os
from collections.abc import Iterator

# Before the import: onnxruntime's Linux wheels otherwise write a device id to the home folder and send events.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from features.errors import InputError

ort.set_default_logger_severity(3)
_CHUNK_ROWS = 8_192  # of a forest with hundreds of directions: 16 MB of projections, and no slower
_KERNEL_ROWS = 16  # matrix kernels take leftover rows another way, with other rounding: there are none
_MATRIX_KERNELS = (b"MatMul", b"Gemm")


class Graph:
    """Transformed features (n, d) float32 -> anomaly scores (n,) float32, higher is more anomalous."""

    def __init__(self, model: bytes) -> None:
        options = ort.SessionOptions()
        options.intra_op_num_threads = 1  # the sum over trees must not depend on the number of rows or cores
        options.inter_op_num_threads = 1
        try:
            self._session = ort.InferenceSession(model, options, providers=["CPUExecutionProvider"], enable_fallback=0)
        except Exception as error:  # onnxruntime raises a family of its own without a common base
            raise InputError("model.onnx", f"not a readable ONNX graph ({str(error).splitlines()[0]})") from error
        # A node's kind stands in the file as text. Trees alone need no company: one row then takes a third of the time.
        self._multiple = _KERNEL_ROWS if any(kind in model for kind in _MATRIX_KERNELS) else 1
        shapes = [taken.shape for taken in self._session.get_inputs()]
        if len(shapes) != 1 or len(shapes[0]) != 2 or not isinstance(shapes[0][1], int):
            raise InputError("model.onnx", "must take one matrix, of a known number of columns", shapes)
        self.width: int = shapes[0][1]

    def score(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """Scores of each row; works in chunks so that memory stays bounded."""
        parts = [part.reshape(-1) for part in self._chunks("score", values)]
        return parts[0] if len(parts) == 1 else np.concatenate([np.empty(0, np.float32), *parts])

    def errors(self, values: NDArray[np.float32]) -> NDArray[np.float32] | None:
        """What each feature adds to the score (n, d), the score being their mean; None where the graph cannot say."""
        if all(output.name != "errors" for output in self._session.get_outputs()):
            return None
        return np.concatenate([np.empty((0, self.width), np.float32), *self._chunks("errors", values)])

    def _chunks(self, output: str, values: NDArray[np.float32]) -> Iterator[NDArray[np.float32]]:
        for start in range(0, len(values), _CHUNK_ROWS):
            chunk = values[start : start + _CHUNK_ROWS]
            missing = -len(chunk) % self._multiple
            whole = np.concatenate([chunk, np.zeros((missing, chunk.shape[1]), chunk.dtype)]) if missing else chunk
            yield self._session.run([output], {"features": whole})[0][: len(chunk)]
