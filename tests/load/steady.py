"""An open-loop load generator: requests leave by the clock, whether or not earlier ones were answered.

Latency is counted from the moment a request was due, so that a stall counts for all that it held up.
"""

import asyncio
import gc
import time
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

import numpy as np


@dataclass(frozen=True)
class Answered:
    """One request: its id, when it was due and when answered (time.monotonic), status (0: no answer came), body."""

    request_id: str
    due: float
    done: float
    status: int
    body: bytes

    @property
    def ms(self) -> float:
        """From due to done."""
        return (self.done - self.due) * 1e3


def steady(
    url: str,
    body: Callable[[int], bytes],
    *,
    per_s: float,
    until: Callable[[], bool],
    at_most_s: float,
    connections: int = 32,
    headers: str = "Content-Type: application/json\r\n",
) -> list[Answered]:
    """POST ``body(0), body(1), …`` to a URL on 127.0.0.1 at a steady rate until told, in order of their being due.

    Request k has the X-Request-ID ``load-k``.
    """
    assert urlsplit(url).hostname == "127.0.0.1"
    gc.disable()  # a collection over all answers so far would count as latency of the service
    try:
        return asyncio.run(_run(url, body, per_s, until, at_most_s, connections, headers))
    finally:
        gc.enable()


def percentile_ms(answers: list[Answered], q: float) -> float:
    """Of their latencies, q from 0 to 100."""
    return float(np.percentile([answer.ms for answer in answers], q))


async def _run(
    url: str,
    body: Callable[[int], bytes],
    per_s: float,
    until: Callable[[], bool],
    at_most_s: float,
    connections: int,
    headers: str,
) -> list[Answered]:
    where = urlsplit(url)
    head = f"POST {where.path} HTTP/1.1\r\nHost: {where.netloc}\r\n{headers}"
    queue: asyncio.Queue[tuple[int, float, bytes] | None] = asyncio.Queue()
    answers: list[Answered] = []
    workers = [asyncio.create_task(_work(where.port or 80, head, queue, answers)) for _ in range(connections)]
    start = time.monotonic()
    for number in range(int(at_most_s * per_s)):
        due = start + number / per_s
        await asyncio.sleep(max(0.0, due - time.monotonic()))
        if until():
            break
        queue.put_nowait((number, due, body(number)))
    for _ in workers:
        queue.put_nowait(None)
    await asyncio.gather(*workers)
    return sorted(answers, key=lambda answer: answer.due)


async def _work(
    port: int, head: str, queue: "asyncio.Queue[tuple[int, float, bytes] | None]", answers: list[Answered]
) -> None:
    streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
    while (task := await queue.get()) is not None:
        number, due, content = task
        status, answer = 0, b""
        try:
            reader, writer = streams = streams or await asyncio.open_connection("127.0.0.1", port)
            named = f"X-Request-ID: load-{number}\r\nContent-Length: {len(content)}\r\n\r\n"
            writer.write(f"{head}{named}".encode() + content)
            status, answer, last = await asyncio.wait_for(_read(reader), 30)
            if last:
                writer.close()
                streams = None
        except (OSError, EOFError, ValueError, TimeoutError, asyncio.IncompleteReadError):
            if streams:
                streams[1].close()
            streams = None
        answers.append(Answered(f"load-{number}", due, time.monotonic(), status, answer))
    if streams:
        streams[1].close()


async def _read(reader: asyncio.StreamReader) -> tuple[int, bytes, bool]:
    """Status, body, and whether the server takes no more requests here."""
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    length = int(head.partition(b"content-length:")[2].partition(b"\r\n")[0])
    return int(head[9:12]), await reader.readexactly(length), b"connection: close" in head
