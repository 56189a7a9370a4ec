"""A real service under hostile clients, over HTTP: malformed bodies, what schemathesis makes of its own description,
ten times the load it can carry."""

import http.client
import json
import random
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pytest

from tests.load import processes
from tests.load.ray_service import RayService, Setup, running
from tests.load.wrk import drive
from tests.peer_environment import peer_python
from tests.serving.malformed import malformed
from tests.serving.service import publish
from tests.system import require_program

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
_JSON = "application/json"
_TIMEOUT_S = 30.0
_GROWTH_MB = 60.0
_ONGOING, _QUEUED = 16, 16


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RayService]:
    bundle = publish(tmp_path_factory.mktemp("bundles"), features=tuple("abcdefghij"))
    few = {"max_ongoing_requests": _ONGOING, "max_queued_requests": _QUEUED}
    with running(Setup(bundle, deployment=few)) as found:
        yield found


def _memory_mb(service: RayService) -> float:
    (replica,) = processes.replicas(service.mark)
    return processes.memory_mb(replica)


def _send(service: RayService, rng: random.Random, count: int) -> Counter[int]:
    found, where = Counter[int](), urlsplit(service.api.url)
    connection = http.client.HTTPConnection(where.hostname or "", where.port, timeout=_TIMEOUT_S)
    for _ in range(count):
        path, body, query, headers = malformed(rng)
        named = {name.replace("_", "-"): text for name, text in headers.items() if name != "content_length"}
        try:
            connection.request("POST", f"{path}?{query.decode()}", body, named)
            answer = connection.getresponse()
            found[answer.status] += 1
            answer.read()
        except (BrokenPipeError, ConnectionResetError, http.client.RemoteDisconnected):
            found[0] += 1  # refused before the body was read, as an oversized one may be
            connection.close()
    connection.close()
    return found


@pytest.mark.parametrize("count", [5_000, 100_000])
def test_malformed_bodies_over_http_give_no_5xx_no_hang_and_flat_memory(service: RayService, count: int) -> None:
    rng = random.Random(count)
    _send(service, rng, 2_000)  # whatever is allocated once is allocated now
    before = _memory_mb(service)
    found = _send(service, rng, count)
    assert set(found) >= {200, 400, 413, 415, 422}
    assert max(found) < 500
    assert found[0] < count / 100
    assert _memory_mb(service) - before < _GROWTH_MB


def test_schemathesis_finds_no_5xx_and_no_answer_that_the_description_does_not_have(
    service: RayService, tmp_path: Path
) -> None:
    python = peer_python("schemathesis-4", ["schemathesis>=4,<5"])
    if python is None:
        pytest.skip("pip cannot install schemathesis")
    checks = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"
    command = [python.with_name("schemathesis"), "run", f"{service.api.url}/openapi.json"]
    options = ["--checks", checks, "--max-examples", "200", "--seed", "1", "--request-timeout", str(_TIMEOUT_S)]
    done = subprocess.run(
        [*command, *options, "--no-color"], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=600
    )
    assert done.returncode == 0, done.stdout[-6_000:]


@pytest.mark.parametrize("rows", [1, 4_000], ids=["small requests", "large requests, worked on in a thread"])
def test_ten_times_too_much_is_partly_refused_and_over_when_it_ends(service: RayService, rows: int) -> None:
    require_program("wrk", "wrk")
    url, mark = f"{service.api.url}/predict", service.mark
    data = np.random.default_rng(0).normal(5, 2, (rows, 10)).round(6).tolist()
    bodies = [json.dumps({"data": data}).encode()]
    carried = drive(url, bodies, _JSON, connections=4, seconds=5, mark=mark)
    assert carried.refused == carried.broken == 0
    before = _memory_mb(service)
    flood = drive(url, bodies, _JSON, connections=10 * (_ONGOING + _QUEUED), seconds=10, mark=mark)
    assert flood.broken == 0
    assert flood.refused > 0
    assert flood.per_s > carried.per_s / 4  # it goes on working
    time.sleep(1)
    after = drive(url, bodies, _JSON, connections=4, seconds=5, mark=mark)
    assert after.refused == after.broken == 0
    assert after.per_s > carried.per_s / 2
    assert _memory_mb(service) - before < 4 * _GROWTH_MB
