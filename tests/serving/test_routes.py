"""The HTTP interface of one replica, driven as ASGI with a real bundle."""

import asyncio
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from serving.holder import Holder
from serving.manifest import PastRows
from serving.routes import make_app
from serving.settings import Limits, UserConfig
from tests.serving.service import Service, publish, serve

MAX_BODY = Limits().body_bytes


@pytest.fixture
def holder(tmp_path: Path) -> Holder:
    return serve(publish(tmp_path))


def call(
    holder: Holder, method: str, path: str, body: bytes = b"", query: bytes = b""
) -> tuple[int, Any, dict[str, str]]:
    answer = Service(holder).call(method, path, body, query, x_request_id="r1")
    return answer.status, answer.json, answer.headers


def predict(holder: Holder, body: Any) -> tuple[int, Any]:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    status, answer, _ = call(holder, "POST", "/predict", content)
    return status, answer


def test_an_answer_has_one_entry_a_row_and_names_the_bundle(holder: Holder) -> None:
    status, answer = predict(holder, {"data": [[5, 5, 5], [50, -50, 50]]})
    assert status == 200
    assert answer["alerts"] == [False, True]
    assert answer["scores"][1] > answer["scores"][0]
    assert answer["p_values"][1] == pytest.approx(1 / 501)
    assert answer["model"] == {"name": "m", "version": "1", "digest": holder.desired.digest}


def test_a_row_scores_alone_as_it_does_among_others(holder: Holder) -> None:
    rows = np.random.default_rng(3).normal(5, 3, (50, 3)).tolist()
    together = predict(holder, {"data": rows})[1]["scores"]
    assert together == [predict(holder, {"data": [row]})[1]["scores"][0] for row in rows]


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        (b"{", 400, "JSON"),
        (b"\xff\xfe", 400, "JSON"),
        ({"data": [[1, 2]]}, 422, "data[0]: must have 3 values (a, b, c), got 2"),
        ({"data": [[1, 2, 3], [1, 2, "x"]]}, 422, "data[1][2]"),
        ({"data": [[1, 2, None]]}, 422, "got `null`"),
        ({"data": []}, 422, "length >= 1"),
        ({"rows": [[1, 2, 3]]}, 422, "rows"),
        (b'{"data": [[1, 2, 1e999]]}', 422, "out of range"),
        ({"data": [[1, 2, 3]], "history": [[[1, 2, 3]]]}, 422, "history: must be left out"),
        (b" " * (MAX_BODY + 1), 413, "bytes"),
    ],
)
def test_a_bad_body_is_refused_with_the_reason(holder: Holder, body: Any, status: int, words: str) -> None:
    found, answer = predict(holder, body)
    assert (found, answer["code"]) == (status, status)
    assert words in answer["message"]
    assert answer["request_id"] == "r1"


PAST = [[5, 5, 5], [5, 6, 5]]


@pytest.fixture
def remembering(tmp_path: Path) -> Holder:
    return serve(publish(tmp_path, history=PastRows(2, ["lags", "std"], 900)))


def test_with_history_a_row_is_judged_by_its_past_too(remembering: Holder) -> None:
    calm, wild = PAST, [[50, -50, 50], [-50, 50, -50]]
    status, answer = predict(remembering, {"data": [[5, 5, 5], [5, 5, 5]], "history": [calm, wild]})
    assert (status, answer["alerts"]) == (200, [False, True])
    alone = predict(remembering, {"data": [[5, 5, 5]], "history": [wild]})[1]
    assert alone["scores"] == answer["scores"][1:]


def test_the_model_says_what_history_it_needs(remembering: Holder, holder: Holder) -> None:
    found = call(remembering, "GET", "/model")[1]
    assert found["history"] == {"rows": 2, "reducers": ["lags", "std"], "max_gap_s": 900}
    assert found["features"] == ["a", "b", "c"]
    assert call(holder, "GET", "/model")[1]["history"] is None


@pytest.mark.parametrize(
    ("history", "field", "words"),
    [
        (None, "history", "the 2 rows before it, oldest first"),
        ([], "history", "one entry for each of 1 rows, got 0"),
        ([PAST, PAST], "history", "one entry for each of 1 rows, got 2"),
        ([PAST[:1]], "history[0]", "must have 2 rows, oldest first, got 1"),
        ([[[1, 2, 3], [1, 2]]], "history[0][1]", "must have 3 values (a, b, c), got 2"),
        ([[[1, 2, 3], [1, 2, "x"]]], "history[0][1][2]", "got `str`"),
        ([1], "history[0]", "got `int`"),
    ],
)
def test_a_bad_history_is_refused_naming_the_field(remembering: Holder, history: Any, field: str, words: str) -> None:
    body = {"data": [[1, 2, 3]]} | ({} if history is None else {"history": history})
    status, answer = predict(remembering, body)
    assert (status, answer["field"]) == (422, field)
    assert words in answer["message"]


@pytest.mark.parametrize(("method", "path", "status"), [("GET", "/predict", 405), ("GET", "/nowhere", 404)])
def test_other_paths_and_methods_are_refused(holder: Holder, method: str, path: str, status: int) -> None:
    assert call(holder, method, path)[0] == status


def test_model_says_what_is_served_and_fleet_asks_everyone(holder: Holder) -> None:
    status, answer, headers = call(holder, "GET", "/model")
    assert (status, headers["x-request-id"]) == (200, "r1")
    assert answer["features"] == ["a", "b", "c"]
    assert answer["desired"] == answer["served"] == holder.desired.digest
    assert call(holder, "GET", "/model", query=b"fleet=1")[1] == {"replicas": [{"replica": "one"}]}


@pytest.mark.parametrize(("method", "path"), [("GET", "/ready"), ("GET", "/model"), ("POST", "/predict")])
def test_it_is_not_ready_before_a_bundle_is_loaded(method: str, path: str) -> None:
    status, answer, _ = call(Holder(), method, path)
    assert (status, answer["message"]) == (503, "no bundle is loaded yet")


def test_health_is_that_the_process_answers_and_ready_that_it_can_score(holder: Holder) -> None:
    assert call(Holder(), "GET", "/health")[:2] == (200, {"status": "ok", "model": None})
    name = {"name": "m", "version": "1", "digest": holder.desired.digest}
    assert (
        call(holder, "GET", "/health")[:2]
        == call(holder, "GET", "/ready")[:2]
        == (200, {"status": "ok", "model": name})
    )


def test_a_body_that_stalls_is_given_up_and_the_next_request_is_answered(holder: Holder) -> None:
    holder.settings = UserConfig(limits=Limits(body_s=0.1))
    sent: list[dict[str, Any]] = []

    async def drip() -> dict[str, Any]:
        await asyncio.sleep(0.03)
        return {"type": "http.request", "body": b" ", "more_body": True}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": "/predict", "query_string": b"", "headers": []}
    started = time.monotonic()
    asyncio.run(make_app(holder, no_fleet)(scope, drip, send))
    assert time.monotonic() - started < 1
    answer = json.loads(sent[1]["body"])
    assert (sent[0]["status"], answer["message"]) == (408, "the body must be here within 0.1 s")
    assert predict(holder, {"data": [[5, 5, 5]]})[0] == 200


async def no_fleet() -> list[dict[str, Any]]:
    return []
