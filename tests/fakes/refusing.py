"""Servers that do not do what is asked of them: one is silent, one answers every request with the same error."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@contextmanager
def silent_server() -> Iterator[tuple[int, list[socket.socket]]]:
    """Its port, and the connections made so far: it accepts them and never answers."""
    accepted: list[socket.socket] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def accept() -> None:
            while True:
                try:
                    accepted.append(server.accept()[0])
                except OSError:
                    return

        threading.Thread(target=accept, daemon=True).start()
        yield server.getsockname()[1], accepted
        server.shutdown(socket.SHUT_RDWR)
    for connection in accepted:
        connection.close()


@contextmanager
def failing_s3(status: int, code: str) -> Iterator[int]:
    """The port of a server that answers as S3 does with this status and error code."""
    body = f"<Error><Code>{code}</Code><Message>said the server</Message></Error>"
    with answering(status, body, "application/xml") as port:
        yield port


@contextmanager
def answering(status: int, text: str, kind: str = "text/html") -> Iterator[int]:
    """The port of a server that gives every request the same answer."""
    body = text.encode()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        do_HEAD = do_POST = do_GET

        def log_message(self, *words: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_port
    server.shutdown()
    server.server_close()
