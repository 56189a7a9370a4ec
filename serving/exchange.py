"""One request and its answer as HTTP has them: headers, query, media types, body."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

from serving.holder import Holder
from serving.loading import Served
from serving.prediction_log import PredictionLog
from serving.refusals import Refused
from serving.telemetry import Telemetry

JSON, ARROW, FLOATS = "application/json", "application/vnd.apache.arrow.stream", "application/octet-stream"
Fleet = Callable[[], Awaitable[list[dict[str, Any]]]]


class Call(NamedTuple):
    """One request to one replica."""

    scope: dict[str, Any]
    headers: dict[bytes, bytes]
    receive: Any
    holder: Holder
    fleet: Fleet
    telemetry: Telemetry
    log: PredictionLog | None
    request_id: str

    @property
    def root(self) -> str:
        """The path under which the application stands; empty for /."""
        return str(self.scope.get("root_path") or "").rstrip("/")

    @property
    def served(self) -> Served:
        """The bundle in service. Raises Refused while there is none."""
        if self.holder.served is None:
            raise Refused(503, f"no bundle is loaded{f': {self.holder.error}' if self.holder.error else ' yet'}")
        return self.holder.served

    def media_type(self) -> str:
        """What the body says it is, without parameters; JSON where it says nothing. Raises Refused for compression."""
        if self.headers.get(b"content-encoding", b"identity") != b"identity":
            raise Refused(415, "the body must not be compressed", "content-encoding")
        given = self.headers.get(b"content-type")
        return given.decode("latin-1").partition(";")[0].strip().lower() if given else JSON

    def accepted(self) -> str:
        """The first of the three media types that Accept names, JSON where it names none."""
        asked = self.headers.get(b"accept", b"*/*")
        if asked == b"*/*":
            return JSON
        named = (part.partition(";")[0].strip().lower() for part in asked.decode("latin-1").split(","))
        return next((kind for kind in named if kind in (JSON, ARROW, FLOATS)), JSON)

    def asks(self, option: str, words: tuple[str, str] = ("false", "true")) -> bool:
        """Whether a query parameter is set; not, where it is absent. Raises Refused for other than the two words."""
        query = self.scope.get("query_string", b"")
        given = dict(parse_qsl(query.decode("latin-1"), keep_blank_values=True)).get(option) if query else None
        if given not in (None, *words):
            raise Refused(422, f"{option}: must be {' or '.join(words)}", option)
        return given == words[1]

    async def body(self) -> bytes:
        """The whole body. Raises Refused for more bytes or more time than the limits, read or announced."""
        limits = self.holder.settings.limits
        most = limits.body_bytes
        announced = self.headers.get(b"content-length", b"")
        if announced.isdigit() and (len(announced) > 15 or int(announced) > most):
            raise _too_large(most)
        try:
            async with asyncio.timeout(limits.body_s):
                return await self._read(most)
        except TimeoutError as error:
            raise Refused(408, f"the body must be here within {limits.body_s:g} s") from error

    async def _read(self, most: int) -> bytes:
        parts, size, more = [], 0, True
        while more:
            message = await self.receive()
            if message["type"] == "http.disconnect":
                raise Refused(400, "the body ended early")
            parts.append(message.get("body", b""))
            size += len(parts[-1])
            more = message.get("more_body", False)
            if size > most:
                raise _too_large(most)
        return b"".join(parts)  # of a single part: that part, not a copy


class Reply(NamedTuple):
    """An answer."""

    body: bytes
    content_type: str = JSON
    headers: tuple[tuple[bytes, bytes], ...] = ()
    status: int = 200


def _too_large(most: int) -> Refused:
    return Refused(413, f"the body may have {most:,} bytes")
