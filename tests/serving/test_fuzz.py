"""Malformed requests are refused with a reason: no 5xx, no hang, whatever the bytes."""

import asyncio
import json
import random
import time
from collections import Counter
from typing import Any

import pytest

from tests.serving.malformed import malformed
from tests.serving.service import Service

_SLOWEST_S = 5.0  # of one request on a busy machine; the largest take tenths of a second


def _fuzz(service: Service, seed: int, count: int) -> Counter[int]:
    rng, found = random.Random(seed), Counter[int]()

    async def run() -> None:
        for number in range(count):
            path, body, query, headers = malformed(rng)
            started = time.perf_counter()
            answer = await service.answer("POST", path, body, query, **headers)
            took, told = time.perf_counter() - started, (seed, number, path, query, headers, body[:300])
            assert answer.status < 500, (answer.body, *told)
            assert took < _SLOWEST_S, (took, *told)
            if answer.status != 200:
                refusal: dict[str, Any] = json.loads(answer.body)
                assert refusal["message"], told
                assert len(answer.body) < 5_000, told
            found[answer.status] += 1

    asyncio.run(run())
    return found


EXPECTED = {200, 400, 413, 415, 422}


@pytest.mark.parametrize("seed", [1, 2])
def test_malformed_bodies_give_no_5xx_and_no_hang(lettered: Service, seed: int) -> None:
    found = _fuzz(lettered, seed, 1_000)
    assert set(found) >= EXPECTED
    assert max(found) < 500
    assert found.total() == 1_000


@pytest.mark.slow
def test_100_000_malformed_bodies_give_no_5xx_and_no_hang(lettered: Service, vibration: Service) -> None:
    found = _fuzz(lettered, 3, 75_000) + _fuzz(vibration, 4, 25_000)
    assert set(found) >= EXPECTED
    assert max(found) < 500
    assert found.total() == 100_000
