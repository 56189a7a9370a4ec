"""An S3 store in a process of its own that can be slow to answer, or away: moto behind a gate."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch

from features.storage import write_text
from tests.fakes.s3 import KEYS, make_bucket
from tests.load.processes import free_port

_AWAY = b"<Error><Code>ServiceUnavailable</Code><Message>away</Message></Error>"


@dataclass(frozen=True)
class Store:
    """A store with one bucket. environment: variables by which clients find it and get in."""

    endpoint: str
    bucket: str
    _mood: Path

    @property
    def environment(self) -> Mapping[str, str]:
        """For the processes that are to use it."""
        return {**KEYS, "AWS_ENDPOINT_URL": self.endpoint}

    def behave(self, *, delay_s: float = 0.0, away: bool = False) -> None:
        """From now on: listing takes ``delay_s``, which is what a client does first; 503 to everything while away."""
        write_text(self._mood, json.dumps({"delay_s": delay_s, "away": away}))


@contextmanager
def store(bucket: str = "vigia") -> Iterator[Store]:
    """Start a store that answers at once; clients of this process, and of those that it starts, find it meanwhile."""
    with TemporaryDirectory() as folder:
        port, mood = free_port(), Path(folder) / "mood.json"
        place = Store(f"http://127.0.0.1:{port}", bucket, mood)
        place.behave()
        command = [sys.executable, "-m", "tests.load.store", str(port), str(mood)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        try:
            assert process.stdout
            assert process.stdout.readline() == b"ready\n"
            make_bucket(place.endpoint, bucket)
            with patch.dict(os.environ, place.environment):
                yield place
        finally:
            process.kill()
            process.wait()


def main() -> None:
    """Serve until killed."""
    from moto.server import DomainDispatcherApplication, create_backend_app
    from werkzeug.serving import make_server

    port, mood = int(sys.argv[1]), Path(sys.argv[2])
    inner = DomainDispatcherApplication(create_backend_app)

    def gate(environ: Any, start_response: Callable[..., Any]) -> Iterable[bytes]:
        now = json.loads(mood.read_text())
        if now["away"]:
            start_response("503 Service Unavailable", [("Content-Type", "application/xml")])
            return [_AWAY]
        if "list-type=2" in environ.get("QUERY_STRING", ""):
            time.sleep(now["delay_s"])
        found: Iterable[bytes] = inner(environ, start_response)
        return found

    server = make_server("127.0.0.1", port, gate, threaded=True)
    print("ready", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
