"""The HTTP interface as raw ASGI: `/predict`, `/health`, `/model`."""

import re
import uuid
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from features.errors import InputError
from serving.holder import Holder
from serving.messages import ErrorAnswer, PredictRequest, model_name, predict

MAX_BODY = 8 * 1024 * 1024
Fleet = Callable[[], Awaitable[list[dict[str, Any]]]]
_DECODER = msgspec.json.Decoder(PredictRequest)
_ENCODER = msgspec.json.Encoder()
_ABOUT = ("features", "history", "threshold", "alpha", "budget", "family", "simulated")
_METHODS = {"/predict": "POST", "/health": "GET", "/model": "GET"}


class _Refused(Exception):
    def __init__(self, status: int, message: str, field: str = "") -> None:
        self.status, self.message, self.field = status, message, field


def make_app(holder: Holder, fleet: Fleet) -> Callable[..., Awaitable[None]]:
    """The ASGI application of one replica; ``fleet()`` asks every replica for its state."""

    async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await _lifespan(receive, send)
        elif scope["type"] == "http":
            request_id = _request_id(scope)
            try:
                status, body = 200, _ENCODER.encode(await _answer(scope, receive, holder, fleet))
            except _Refused as error:
                status = error.status
                body = _ENCODER.encode(ErrorAnswer(status, error.message, error.field, request_id))
            headers = [
                (b"content-type", b"application/json"),
                (b"content-length", str(len(body)).encode()),
                (b"x-request-id", request_id.encode()),
            ]
            await send({"type": "http.response.start", "status": status, "headers": headers})
            await send({"type": "http.response.body", "body": body})

    return app


def state_of(holder: Holder) -> dict[str, Any]:
    """What one replica wants to serve and serves."""
    served = holder.served
    return {
        "desired": holder.desired.digest,
        "served": served.bundle.digest if served else "",
        "since": served.since if served else None,
        "error": holder.error,
    }


async def _answer(scope: dict[str, Any], receive: Any, holder: Holder, fleet: Fleet) -> Any:
    path, method = scope["path"].rstrip("/") or "/", scope["method"]
    if path not in _METHODS:
        raise _Refused(404, f"no such path; there are {', '.join(_METHODS)}", "path")
    if method not in (_METHODS[path], "HEAD" if _METHODS[path] == "GET" else ""):
        raise _Refused(405, f"{path} takes {_METHODS[path]}", "method")
    served = holder.served
    if served is None:
        raise _Refused(503, "no bundle is loaded yet")
    if path == "/health":
        return {"status": "ok", "model": model_name(served)}
    if path == "/model":
        if scope.get("query_string") == b"fleet=1":
            return {"replicas": await fleet()}
        manifest = served.bundle.manifest
        about = {name: getattr(manifest, name) for name in _ABOUT}
        return {"model": model_name(served), **about, **state_of(holder)}
    try:
        return predict(_DECODER.decode(await _body(receive)), served)
    except InputError as error:
        raise _Refused(422, str(error), error.field) from error
    except msgspec.ValidationError as error:
        found = re.search(r"`\$\.?(.*)`", str(error))
        raise _Refused(422, str(error), found[1] if found else "") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise _Refused(400, f"the body must be JSON: {error}") from error


async def _body(receive: Any) -> bytes:
    body, more = bytearray(), True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
        if len(body) > MAX_BODY:
            raise _Refused(413, f"the body may have {MAX_BODY} bytes")
    return bytes(body)


def _request_id(scope: dict[str, Any]) -> str:
    given = dict(scope["headers"]).get(b"x-request-id", b"").decode("latin-1")
    return given if re.fullmatch(r"[\w.:-]{1,128}", given) else uuid.uuid4().hex


async def _lifespan(receive: Any, send: Any) -> None:
    while True:
        kind = (await receive())["type"]
        await send({"type": f"{kind}.complete"})
        if kind == "lifespan.shutdown":
            return
