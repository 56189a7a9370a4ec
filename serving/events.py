"""Lifecycle events of a replica: one JSON object a line on stderr, whatever Serve does with its own log."""

import json
import logging
import sys
from datetime import UTC, datetime
from typing import Any

_LOG = logging.getLogger("vigia.serving")
_FIELDS = "vigia_fields"


def emit(event: str, *, error: bool = False, **fields: Any) -> None:
    """Say that something happened; ``fields`` must be JSON values. Names as in docs/serving.md."""
    level = logging.ERROR if error else logging.INFO
    _LOG.log(level, "%s %s", event, fields, extra={_FIELDS: {"event": event, **fields}})


def write_events_to_stderr(**always: Any) -> None:
    """Have each event, and every other record of ``vigia``, written as a line with these fields; for entry points."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Lines(always))
    logger = logging.getLogger("vigia")
    logger.handlers[:] = [handler]
    logger.setLevel(logging.INFO)
    logger.propagate = False


class _Lines(logging.Formatter):
    def __init__(self, always: dict[str, Any]) -> None:
        super().__init__()
        self._always = always

    def format(self, record: logging.LogRecord) -> str:
        said = getattr(record, _FIELDS, None) or {"event": "message", "message": record.getMessage()}
        if record.exc_info:
            said = {**said, "traceback": self.formatException(record.exc_info)}
        time = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        return json.dumps({"event": said["event"], "time": time, "level": record.levelname, **self._always, **said})
