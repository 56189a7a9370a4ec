"""The HTTP interface as raw ASGI: finds the endpoint, sends its answer or the one error shape, counts both."""

import logging
import random
import re
import time
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from serving.endpoints import ENDPOINTS
from serving.exchange import Call, Fleet, Reply
from serving.holder import Holder
from serving.messages import ErrorAnswer
from serving.prediction_log import PredictionLog
from serving.refusals import Refused
from serving.telemetry import Telemetry

_LOG = logging.getLogger("vigia.serving")
_REQUEST_ID = re.compile(r"[\w.:-]{1,128}", re.ASCII)


def make_app(
    holder: Holder, fleet: Fleet, telemetry: Telemetry | None = None, log: PredictionLog | None = None
) -> Callable[..., Awaitable[None]]:
    """The ASGI application of one replica; ``fleet()`` asks every replica for its state."""
    telemetry = telemetry or Telemetry()

    async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await _lifespan(receive, send)
        elif scope["type"] == "http":
            started = time.perf_counter()
            given = dict(scope["headers"])
            request_id = _request_id(given)
            call = Call(scope, given, receive, holder, fleet, telemetry, log, request_id)
            path = _path(call)
            try:
                reply = await _answer(path, call)
            except Refused as refused:
                reply = _error(refused, request_id)
            except Exception:
                _LOG.exception("request %s to %s failed", request_id, path)
                reply = _error(Refused(500, "the service failed; its log has the reason"), request_id)
            headers = [
                (b"content-type", reply.content_type.encode()),
                (b"content-length", str(len(reply.body)).encode()),
                (b"x-request-id", request_id.encode()),
                *reply.headers,
            ]
            telemetry.answered(path if path in ENDPOINTS else "other", reply.status, time.perf_counter() - started)
            await send({"type": "http.response.start", "status": reply.status, "headers": headers})
            body = b"" if scope["method"] == "HEAD" else reply.body
            await send({"type": "http.response.body", "body": body})

    return app


async def _answer(path: str, call: Call) -> Reply:
    if path not in ENDPOINTS:
        raise Refused(404, f"no such path; there are {', '.join(ENDPOINTS)}", "path")
    method, endpoint = ENDPOINTS[path]
    if call.scope["method"] not in (method, "HEAD" if method == "GET" else method):
        allowed = "GET, HEAD" if method == "GET" else method
        raise Refused(405, f"{path} takes {allowed}", "method", ((b"allow", allowed.encode()),))
    return await endpoint(call)


def _error(refused: Refused, request_id: str) -> Reply:
    answer = ErrorAnswer(refused.status, refused.message, refused.field, request_id)
    return Reply(msgspec.json.encode(answer), headers=refused.headers, status=refused.status)


def _path(call: Call) -> str:
    path: str = call.scope["path"]
    if call.root and path.startswith(call.root):  # servers differ in whether a path begins with the root
        path = path[len(call.root) :]
    return path.rstrip("/") or "/"


def _request_id(headers: dict[bytes, bytes]) -> str:
    given = headers.get(b"x-request-id")
    if given and _REQUEST_ID.fullmatch(text := given.decode("latin-1")):
        return text
    return f"{random.getrandbits(128):032x}"  # needs not be secret


async def _lifespan(receive: Any, send: Any) -> None:
    while True:
        kind = (await receive())["type"]
        await send({"type": f"{kind}.complete"})
        if kind == "lifespan.shutdown":
            return
