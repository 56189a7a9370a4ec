"""What each path answers: one function an endpoint, and the table of them."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from features.errors import InputError
from serving.arrow import encode_arrow, read_arrow
from serving.describe import FleetAnswer, HealthAnswer, model_answer
from serving.exchange import ARROW, FLOATS, JSON, Call, Reply
from serving.exposition import CONTENT_TYPE, exposition, families
from serving.manifest import Manifest
from serving.messages import PredictRequest, WaveformsRequest
from serving.openapi import describe
from serving.pages.render import render_docs, render_home
from serving.predict import Judged, encode_floats, encode_json, judge_rows, model_name
from serving.refusals import Refused, refused_body
from serving.requests import Asked, read_floats, read_json
from serving.waveforms import read_waveforms

_ELSEWHERE = 24 * 1024  # bytes of a body worked on in a thread: two are scored at once, and short ones need not wait
_PAGE_HEADERS = ((b"content-security-policy", b"default-src 'self' 'unsafe-inline'; img-src data:"),)
_ENCODER = msgspec.json.Encoder()
Readers = dict[str, Callable[[bytes, Manifest], Asked]]
_ROWS: Readers = {JSON: read_json, ARROW: read_arrow, FLOATS: read_floats}
_WAVEFORMS: Readers = {JSON: read_waveforms}


async def _predict(call: Call) -> Reply:
    return await _scored(call, _ROWS, PredictRequest)


async def _predict_waveforms(call: Call) -> Reply:
    return await _scored(call, _WAVEFORMS, WaveformsRequest)


async def _health(call: Call) -> Reply:
    served = call.holder.served
    return Reply(_ENCODER.encode(HealthAnswer("ok", model_name(served) if served else None)))


async def _ready(call: Call) -> Reply:
    return Reply(_ENCODER.encode(HealthAnswer("ok", model_name(call.served))))


async def _model(call: Call) -> Reply:
    if call.asks("fleet", ("0", "1")):
        return Reply(_ENCODER.encode(FleetAnswer(await call.fleet())))
    return Reply(_ENCODER.encode(model_answer(call.holder, call.served)))


async def _metrics(call: Call) -> Reply:
    return Reply(exposition(families(call.telemetry, call.holder, call.log)), CONTENT_TYPE)


async def _openapi(call: Call) -> Reply:
    return Reply(_ENCODER.encode(_described(call)))


async def _docs(call: Call) -> Reply:
    host = call.headers.get(b"host", b"127.0.0.1:8000").decode("latin-1")
    page = render_docs(_described(call), f"{call.scope.get('scheme', 'http')}://{host}{call.root}", call.root)
    return Reply(page, "text/html; charset=utf-8", _PAGE_HEADERS)


async def _home(call: Call) -> Reply:
    served = call.holder.served
    about = (model_answer(call.holder, served), served.centre.tolist()) if served else None
    return Reply(render_home(about, call.holder.error, call.root), "text/html; charset=utf-8", _PAGE_HEADERS)


ENDPOINTS: dict[str, tuple[str, Callable[[Call], Awaitable[Reply]]]] = {
    "/predict": ("POST", _predict),
    "/predict/waveforms": ("POST", _predict_waveforms),
    "/health": ("GET", _health),
    "/ready": ("GET", _ready),
    "/model": ("GET", _model),
    "/metrics": ("GET", _metrics),
    "/openapi.json": ("GET", _openapi),
    "/docs": ("GET", _docs),
    "/": ("GET", _home),
}


def _described(call: Call) -> dict[str, Any]:
    served = call.holder.served
    if served is None:
        return describe(call.root)
    return describe(call.root, tuple(served.centre.tolist()), served.bundle.scorer.history.rows)


async def _scored(call: Call, readers: Readers, request: type[msgspec.Struct]) -> Reply:
    served, accepted = call.served, call.accepted()
    reader = readers.get(call.media_type())
    if reader is None:
        raise Refused(415, f"the body must be {' or '.join(readers)}", "content-type")
    explained = call.asks("explain")
    if explained and accepted != JSON:
        raise Refused(422, f"explain: reasons are given in {JSON}, not in {accepted}", "explain")
    body, most = await call.body(), call.holder.settings.limits.rows

    def work() -> tuple[Judged, bytes]:
        try:
            asked = reader(body, served.bundle.manifest)
            if len(asked.values) > most:
                raise InputError("data", f"must have 1 to {most:,} rows", len(asked.values))
            judged = judge_rows(asked, served)
        except (InputError, msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise refused_body(error, body, served.bundle.manifest.features, request.__struct_fields__) from error
        if accepted == JSON:
            return judged, encode_json(judged, served, explained)
        return judged, encode_arrow(judged, served) if accepted == ARROW else encode_floats(judged)

    judged, content = work() if len(body) < _ELSEWHERE else await asyncio.to_thread(work)
    call.telemetry.judged(judged)
    if call.log:
        call.log.offer(call.request_id, served, judged)
    if accepted == JSON:
        return Reply(content)
    return Reply(content, accepted, ((b"x-model-digest", served.bundle.digest.encode()),))
