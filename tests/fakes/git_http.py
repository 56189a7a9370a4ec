"""A git host over HTTP that asks for a user and a password: git's own backend behind Python's server."""

import base64
import os
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

USER, PASSWORD = "ada", "geheim-7f3a"


@contextmanager
def git_host(folder: Path) -> Iterator[str]:
    """Its address; serves the bare repositories in a folder, for reading and for pushing."""
    wanted = "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()

    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if self.headers.get("Authorization") != wanted:
                self._send(401, [("WWW-Authenticate", 'Basic realm="git"')], b"")
                return
            where = urlsplit(self.path)
            variables = {
                "GIT_PROJECT_ROOT": str(folder),
                "GIT_HTTP_EXPORT_ALL": "1",
                "REMOTE_USER": USER,
                "PATH_INFO": where.path,
                "QUERY_STRING": where.query,
                "REQUEST_METHOD": self.command,
                "CONTENT_TYPE": self.headers.get("Content-Type", ""),
                "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
                "CONTENT_LENGTH": str(len(body)),
            }
            done = subprocess.run(
                ["git", "http-backend"], input=body, capture_output=True, check=True, env=os.environ | variables
            )
            head, _, content = done.stdout.partition(b"\r\n\r\n")
            headers = [tuple(line.decode().split(": ", 1)) for line in head.split(b"\r\n")]
            status = next((int(value.split()[0]) for name, value in headers if name == "Status"), 200)
            self._send(status, headers, content)

        def _send(self, status: int, headers: list[tuple[str, ...]], content: bytes) -> None:
            self.send_response(status)
            for name, value in headers:
                if name != "Status":
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = _answer

        def log_message(self, *words: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
