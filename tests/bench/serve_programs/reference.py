"""The least that an HTTP service around the graph can be: raw ASGI, msgspec, onnxruntime; answers scores and alerts."""

import os
from typing import Any

import msgspec
import numpy as np
import onnxruntime


class Request(msgspec.Struct):
    """As vigia's."""

    data: list[list[float]]


options = onnxruntime.SessionOptions()
options.intra_op_num_threads = options.inter_op_num_threads = 1
session = onnxruntime.InferenceSession(os.environ["ONNX"], options)
threshold = float(os.environ["THRESHOLD"])
decoder, encoder = msgspec.json.Decoder(Request), msgspec.json.Encoder()


async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """One answer."""
    if scope["type"] != "http":
        return
    body, more = b"", scope["method"] == "POST"
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    content = b"{}"
    if body:
        rows = np.array(decoder.decode(body).data, np.float32)
        scores = session.run(["score"], {"features": rows})[0][:, 0]
        content = encoder.encode({"scores": scores.tolist(), "alerts": (scores >= threshold).tolist()})
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(content)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": content})
