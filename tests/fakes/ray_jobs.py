"""The Jobs API of Ray's dashboard over HTTP; a job does what a test says."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Json = dict[str, Any]
TOKEN = "token-of-ray"


@dataclass
class FakeRay:
    """``end``, ``message``: status and log, and word on it, of every job that is submitted from now on; ``jobs``: by
    submission id; ``other``: it is no Ray at all, but something that answers with objects of its own.
    """

    end: tuple[str, str] = ("SUCCEEDED", "")
    jobs: dict[str, Json] = field(default_factory=dict)
    logs: dict[str, str] = field(default_factory=dict)
    url: str = ""
    message: str = ""
    other: bool = False

    def answer(self, method: str, path: str, body: Json) -> tuple[int, Any]:
        """Status and JSON."""
        if self.other:
            return 200, {"status": "up"}
        name, _, verb = path.removeprefix("/api/jobs/").partition("/")
        if method == "POST" and not name:
            name, (status, log) = body["submission_id"], self.end
            self.jobs[name] = {
                **body,
                "status": status,
                "message": self.message,
                "start_time": round(time.time() * 1000),
            }
            self.logs[name] = log
            return 200, {"submission_id": name}
        if not name:
            return 200, [*self.jobs.values(), {"type": "DRIVER", "submission_id": None, "metadata": {}}]
        if name not in self.jobs:
            return 404, {}
        if verb == "logs":
            return 200, {"logs": self.logs[name]}
        running = self.jobs[name]["status"] == "RUNNING"
        self.jobs[name] |= {"status": "STOPPED"} if running else {}
        return 200, {"stopped": running}


@contextmanager
def ray_jobs() -> Iterator[FakeRay]:
    """A dashboard for as long as the context lasts."""
    fake = FakeRay()

    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or b"{}")
            known = self.headers["Authorization"] == f"Bearer {TOKEN}"
            status, said = fake.answer(self.command, self.path, body) if known else (401, {})
            content = json.dumps(said).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = _answer

        def log_message(self, *words: object) -> None:
            """Keep quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    fake.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield fake
    finally:
        server.shutdown()
        server.server_close()
