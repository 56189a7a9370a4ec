"""JSON over HTTP: what goes wrong, in errors of ours, and where no token goes."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from features.errors import UnreachableError, UnverifiedError
from flows.adapters.http_json import call_json

TOKEN = {"Authorization": "Bearer secret-of-the-issuer"}


@contextmanager
def server(status: int, location: str = "", body: bytes = b"{}") -> Iterator[tuple[str, list[str]]]:
    """A server that answers so, and the tokens that it was given."""
    given: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            given.append(self.headers.get("Authorization", ""))
            self.send_response(status)
            if location:
                self.send_header("Location", location)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_GET

        def log_message(self, *words: object) -> None:
            pass

    running = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=running.serve_forever, args=(0.02,), daemon=True).start()
    yield f"http://127.0.0.1:{running.server_port}", given
    running.shutdown()
    running.server_close()


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_redirect_is_named_and_not_followed_so_that_no_token_reaches_another_host(method: str) -> None:
    refused = pytest.raises(UnreachableError, match=r"302 leads to http://127\.0\.0\.1:\d+; name that one")
    with server(200) as (elsewhere, given), server(302, elsewhere) as (url, _), refused as told:
        call_json(method, url, {} if method == "POST" else None, TOKEN, 5)
    assert not given
    assert "secret-of-the-issuer" not in str(told.value)


@pytest.mark.parametrize(("status", "kind"), [(401, UnverifiedError), (403, UnverifiedError), (500, UnreachableError)])
def test_access_that_is_refused_is_told_from_other_trouble_and_no_token_is_printed(
    status: int, kind: type[Exception]
) -> None:
    with server(status, body=b'"no"') as (url, _), pytest.raises(kind, match=f'GET {url}: {status} "no"') as told:
        call_json("GET", url, None, TOKEN, 5)
    assert "secret-of-the-issuer" not in str(told.value)


def test_an_answer_that_is_no_json_and_one_that_never_comes_are_trouble_too() -> None:
    with server(200, body=b"<html>") as (url, _), pytest.raises(UnreachableError, match="the answer is not JSON"):
        call_json("GET", url, None, {}, 5)
    with pytest.raises(UnreachableError, match=r"GET http://127\.0\.0\.1:1/: \[Errno \d+\] Connection refused$"):
        call_json("GET", "http://127.0.0.1:1/", None, {}, 5)
