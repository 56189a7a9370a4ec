"""GitHub's pull requests over HTTP on this machine, for one repository: what it answers, and how it merges."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

NAME, TOKEN, INSTALLATION = "owner/gitops", "ghp_good", 42


@dataclass
class GitHub:
    """``pulls``: as JSON, by number; ``log``: method and path of every request; ``failures``: statuses to answer next,
    0 for the truth.

    ``bearers``: what requests carried as a token.
    """

    url: str = ""
    tokens: set[str] = field(default_factory=lambda: {TOKEN})
    pulls: dict[int, dict[str, Any]] = field(default_factory=dict)
    log: list[str] = field(default_factory=list)
    bearers: list[str] = field(default_factory=list)
    failures: list[int] = field(default_factory=list)

    def answer(self, method: str, path: str, query: dict[str, list[str]], body: dict[str, Any]) -> tuple[int, Any]:
        """Status and JSON."""
        if path == f"/repos/{NAME}/installation":
            return 200, {"id": INSTALLATION}
        if path == f"/app/installations/{INSTALLATION}/access_tokens":
            self.tokens.add("ghs_installed")
            return 201, {"token": "ghs_installed"}
        if self.bearers[-1] not in self.tokens:
            return 401, {"message": "Bad credentials"}
        if not path.startswith(f"/repos/{NAME}/pulls"):
            return 404, {"message": "Not Found"}
        if method == "GET":
            owner, head = query["head"][0].split(":")
            assert owner == NAME.partition("/")[0]
            found = [one for one in self.pulls.values() if (one["head"], one["base"]) == (head, query["base"][0])]
            return 200, found[::-1]
        if method == "POST":
            if any(one["state"] == "open" and one["head"] == body["head"] for one in self.pulls.values()):
                return 422, {"message": "Validation Failed", "errors": [{"message": "A pull request already exists"}]}
            number = len(self.pulls) + 1
            values = {"number": number, "html_url": f"https://github.com/{NAME}/pull/{number}", "state": "open"}
            self.pulls[number] = {**values, "merged_at": None, **body}
            return 201, self.pulls[number]
        number = int(path.rpartition("/")[2])
        self.pulls[number] |= body
        return 200, self.pulls[number]


@contextmanager
def github() -> Iterator[GitHub]:
    """A server for as long as the context lasts."""
    found = GitHub()

    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            where = urlsplit(self.path)
            length = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(length)) if length else {}
            found.log.append(f"{self.command} {where.path}")
            found.bearers.append(self.headers.get("Authorization", "").removeprefix("Bearer "))
            status, said = found.failures.pop(0) if found.failures else 0, {"message": "said the server"}
            if not status:
                status, said = found.answer(self.command, where.path, parse_qs(where.query), body)
            content = json.dumps(said).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PATCH = _answer

        def log_message(self, *words: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    found.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield found
    finally:
        server.shutdown()
        server.server_close()
