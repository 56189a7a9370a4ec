"""JSON over HTTP: what goes wrong, in errors of ours, and where no token goes."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from features.errors import InputError, UnreachableError, UnverifiedError
from flows.adapters.http_json import call_json
from flows.adapters.serve_api import ServeApi

TOKEN = {"Authorization": "Bearer secret-of-the-issuer"}


@contextmanager
def server(status: int, location: str = "", body: bytes = b"{}", missing: int = 0) -> Iterator[tuple[str, list[str]]]:
    """A server that answers so, breaking off before so many bytes more, and the tokens that it was given."""
    given: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            given.append(self.headers.get("Authorization", ""))
            self.send_response(status)
            if location:
                self.send_header("Location", location)
            self.send_header("Content-Length", str(len(body) + missing))
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


@pytest.mark.parametrize("status", [200, 503])
def test_an_answer_that_breaks_off_is_trouble_whatever_its_status(status: int) -> None:
    with server(status, missing=9) as (url, _), pytest.raises(UnreachableError, match=f"GET {url}: "):
        call_json("GET", url, None, {}, 5)


@pytest.mark.parametrize("token", ["secret\nof-the-issuer", "secret\r", "secret…"])
def test_a_token_that_no_header_takes_is_an_input_error_that_does_not_show_it(token: str) -> None:
    with server(200) as (url, given), pytest.raises(InputError, match="one line of printable ASCII") as told:
        call_json("GET", url, None, {"Authorization": f"Bearer {token}"}, 5)
    assert not given
    assert "secret" not in str(told.value)


@pytest.mark.parametrize(
    "body", [b"[]", b"{}", b"null", b"", b'"x"', b'{"applications": 1, "replicas": {}}', b"[" * 99_999]
)
def test_what_another_service_answers_is_trouble_and_no_bug(body: bytes) -> None:
    with server(200, body=body) as (url, _):
        api = ServeApi(url, "", url, 5)
        for question in (api.applications, api.application, api.fleet):
            with pytest.raises(UnreachableError, match=f"GET {url}/.*: the answer "):
                question()
