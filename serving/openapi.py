"""The OpenAPI 3.1 description of the service, built from the types of its messages."""

from functools import lru_cache
from typing import Any

import msgspec

from serving import messages
from serving.describe import FleetAnswer, HealthAnswer, ModelAnswer
from serving.exchange import ARROW, FLOATS, JSON

_TYPES = (
    messages.PredictRequest,
    messages.WaveformsRequest,
    messages.PredictAnswer,
    HealthAnswer,
    ModelAnswer,
    FleetAnswer,
    messages.ErrorAnswer,
)
_ERRORS = {
    400: "The body cannot be read.",
    408: "The body did not arrive in time.",
    413: "The body has more bytes than `max_body_bytes` of `/model`.",
    415: "The body is of another type, or compressed.",
    422: "A value does not fit; `field` names it, such as `data[3][1]`.",
    503: "No bundle is loaded yet.",
}
_ROW = (1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0)
_RECORDS = {"rate_hz": 25_600, "waveforms": [[0.1, -0.2, 0.3, 0.0, -0.1, 0.2, -0.3, 0.1] * 2]}
_EXPLAIN = {
    "name": "explain",
    "in": "query",
    "description": "Give the reasons of alert rows: the three features that explain most of each. JSON answers only.",
    "schema": {"type": "boolean", "default": False},
}
_FLEET = {
    "name": "fleet",
    "in": "query",
    "description": "1: ask every replica what it wants to serve and serves, instead of this one for its model.",
    "schema": {"enum": ["0", "1"], "default": "0"},
}
_REQUEST_ID = {
    "name": "X-Request-ID",
    "in": "header",
    "description": "Taken as the request's id (letters, digits, and any of _ . : -, up to 128), or else made.",
    "schema": {"type": "string"},
}
_FLOATS_IN = "n × d little-endian float32, row after row, in the order of `/model`."
_ARROW_IN = "An Arrow IPC stream, not compressed: a column a feature by name; text columns `series`, `regime` if any."
_PREDICT = f"""Score rows of feature values. Send JSON, or for many rows one of two binary types:

- `{ARROW}`: {_ARROW_IN}
- `{FLOATS}`: {_FLOATS_IN}

The answer is JSON, or the binary type that Accept names first. Arrow: columns score (float32), alert, p_value,
severity, and baseline and out_of_range where JSON has them; the schema's metadata name the model. float32: the n scores
alone, NaN where a row was not scored; the header X-Model-Digest names the bundle, `/model` its threshold. Models with
history take JSON only."""


@lru_cache(maxsize=4)
def describe(root: str, row: tuple[float, ...] = _ROW, past: int = 0) -> dict[str, Any]:
    """The description of the application under the path ``root``; row, past: of its example, which has past rows."""
    shown = [float(f"{value:.6g}") for value in row]
    example = {"data": [shown]} | ({"history": [[shown] * past]} if past else {})
    _, components = msgspec.json.schema_components(_TYPES, ref_template="#/components/schemas/{name}")
    answers = {JSON: _of("PredictAnswer"), ARROW: _bytes("The columns as a stream."), FLOATS: _bytes("The n scores.")}
    bodies = {JSON: _of("PredictRequest", example), ARROW: _bytes(_ARROW_IN), FLOATS: _bytes(_FLOATS_IN)}
    records = {JSON: _of("WaveformsRequest", _RECORDS)}
    model = {JSON: {"schema": {"anyOf": [_ref("ModelAnswer"), _ref("FleetAnswer")]}}}
    waveforms = "Score raw records by the features that training makes of them; for models of those ten features only."
    failing, unloaded = tuple(_ERRORS), (503,)
    paths = {
        "/predict": _post("predict", "Score rows", _PREDICT, bodies, answers, failing),
        "/predict/waveforms": _post("waveforms", "Score raw vibration records", waveforms, records, answers, failing),
        "/model": _get("model", "What is served", model, (422, 503), _FLEET),
        "/health": _get("health", "Whether the process answers", {JSON: _of("HealthAnswer")}),
        "/ready": _get("ready", "Whether a bundle is loaded", {JSON: _of("HealthAnswer")}, unloaded),
        "/metrics": _get("metrics", "Counters of this one replica for Prometheus", _text("text/plain")),
        "/openapi.json": _get("openapi", "This description", {JSON: {"schema": {"type": "object"}}}),
        "/docs": _get("docs", "This description as a page", _text("text/html")),
        "/": _get("home", "A page to try a row", _text("text/html")),
    }
    title = {"title": "vigia", "version": "1", "description": "Anomaly scores of rows by the bundle in service."}
    return {
        "openapi": "3.1.0",
        "info": title,
        "servers": [{"url": root or "/"}],
        "paths": paths,
        "components": {"schemas": components},
    }


def _post(name: str, summary: str, text: str, bodies: Any, answers: Any, errors: tuple[int, ...]) -> dict[str, Any]:
    operation = _operation(name, summary, answers, errors, _EXPLAIN)
    return {"post": {**operation, "description": text, "requestBody": {"required": True, "content": bodies}}}


def _get(name: str, summary: str, answers: Any, errors: tuple[int, ...] = (), *parameters: Any) -> dict[str, Any]:
    return {"get": _operation(name, summary, answers, errors, *parameters)}


def _operation(name: str, summary: str, answers: Any, errors: tuple[int, ...], *parameters: Any) -> dict[str, Any]:
    failed = {str(code): {"description": _ERRORS[code], "content": {JSON: _of("ErrorAnswer")}} for code in errors}
    return {
        "operationId": name,
        "summary": summary,
        "parameters": [*parameters, _REQUEST_ID],
        "responses": {"200": {"description": "The answer.", "content": answers}, **failed},
    }


def _of(name: str, example: Any = None) -> dict[str, Any]:
    return {"schema": _ref(name)} | ({} if example is None else {"example": example})


def _ref(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}


def _bytes(text: str) -> dict[str, Any]:
    return {"schema": {"type": "string", "contentEncoding": "binary", "description": text}}


def _text(kind: str) -> dict[str, Any]:
    return {kind: {"schema": {"type": "string"}}}
