"""What Ray Serve writes for HAProxy (testdata/haproxy.cfg, of Ray 2.60), made safe and run by the real program."""

import json
import re
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from serving.haproxy import CONNECTIONS, QUEUED, guarded
from tests.load.processes import free_port

WRITTEN = (Path(__file__).parent / "testdata" / "haproxy.cfg").read_text()
PROGRAM = Path(sys.executable).with_name("vigia-haproxy")
SAFE = guarded(WRITTEN)


class Replica(BaseHTTPRequestHandler):
    """Answers once ``open_`` is set, with the status that the path names, as Serve does: in plain text."""

    protocol_version = "HTTP/1.1"
    open_ = threading.Event()

    def do_GET(self) -> None:
        self._answer(200)

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        self.open_.wait(30)
        self._answer(int(self.path.removeprefix("/status/")))

    def _answer(self, status: int) -> None:
        self.send_response(status)
        self.send_header("content-type", "text/plain")
        self.send_header("was-given", self.headers["x-request-id"])
        self.send_header("x-request-id", "of the replica's own")
        self.send_header("x-request-id", "and of Serve's")
        self.send_header("content-length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *_: object) -> None:
        pass


class Server(ThreadingHTTPServer):
    """Takes many connections at once."""

    request_queue_size, daemon_threads = 1024, True

    def handle_error(self, *_: object) -> None:
        """Clients that went away, or a killed proxy."""


def filled_in(folder: Path, front: int, back: int) -> Path:
    """The file as Serve writes it, with places of its own."""
    text, file = WRITTEN.replace("FOLDER", str(folder)).replace("FRONT", str(front)), folder / "c"
    text = text.replace("BACK", str(back), 1) if back else text
    for name in ("FALLBACK", "METRICS", "STATS", "BACK"):
        text = text.replace(name, str(free_port()))
    file.write_text(text.replace("NODE", "0" * 56))
    (folder / "500.http").write_text("HTTP/1.1 500 Internal Server Error\r\ncontent-length: 0\r\n\r\n")
    return file


@pytest.fixture
def replica() -> Iterator[int]:
    Replica.open_.set()
    with Server(("127.0.0.1", 0), Replica) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        Replica.open_.set()
        server.shutdown()


@pytest.fixture
def proxy(tmp_path_factory: pytest.TempPathFactory, replica: int) -> Iterator[str]:
    folder, front = tmp_path_factory.mktemp("h"), free_port()
    process = subprocess.Popen([PROGRAM, "-db", "-f", filled_in(folder, front, replica)])
    url = f"http://127.0.0.1:{front}"
    end = time.monotonic() + 20
    while time.monotonic() < end:
        try:
            urllib.request.urlopen(f"{url}/health", timeout=5)
            break
        except OSError:
            time.sleep(0.05)
    yield url
    process.kill()
    process.wait()


def post(url: str, **headers: str) -> tuple[int, Message, bytes]:
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    try:
        with urllib.request.urlopen(urllib.request.Request(url, b"{}", named), timeout=60) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read()


def test_no_listener_is_open_but_that_for_requests() -> None:
    assert re.findall(r"bind (\S+)", SAFE) == ["127.0.0.1:FRONT"]
    assert "mode 600 level admin" in SAFE
    assert "mode 666" not in SAFE


def test_every_replica_has_a_limit_and_the_queue_one_for_each_of_them() -> None:
    two = WRITTEN.replace("    # Fallback", "    server other 127.0.0.1:1 check\n    # Fallback")
    assert guarded(two).count(f"maxconn {CONNECTIONS}") == 2
    assert f"queue gt {2 * QUEUED}" in guarded(two)
    (fallback,) = re.findall(r".* backup.*", SAFE)
    assert "maxconn" not in fallback


def test_requests_are_not_logged_and_serve_s_metrics_of_them_are() -> None:
    assert not re.findall(r"(?m)^ *(?:log |option httplog)", SAFE)
    measured = WRITTEN.replace("    # Health check endpoint", "    log FOLDER/m len 8192 format rfc5424 local1 debug")
    assert "format rfc5424" in guarded(measured)


def test_a_configuration_of_another_shape_is_left_as_it_is() -> None:
    assert guarded("peers mine\n    peer one 127.0.0.1:1\n") == "peers mine\n    peer one 127.0.0.1:1\n"


def test_a_request_of_a_queue_that_is_full_is_refused_at_once_and_the_others_are_answered(proxy: str) -> None:
    Replica.open_.clear()
    started = time.monotonic()
    with ThreadPoolExecutor(CONNECTIONS + QUEUED + 40) as clients:
        waiting = [clients.submit(post, f"{proxy}/status/200") for _ in range(CONNECTIONS + QUEUED + 40)]
        while sum(one.done() for one in waiting) < 30:
            assert time.monotonic() - started < 20
            time.sleep(0.05)
        refused = [one.result() for one in waiting if one.done()]
        assert {status for status, _, _ in refused} == {503}
        assert {headers["retry-after"] for _, headers, _ in refused} == {"1"}
        Replica.open_.set()
        statuses = [one.result()[0] for one in waiting]
    assert 30 <= statuses.count(503) <= 50
    assert set(statuses) == {200, 503}


def test_a_body_that_stalls_takes_no_place_at_a_replica_and_ends_after_ten_seconds(proxy: str) -> None:
    head = b"POST /status/200 HTTP/1.1\r\nHost: x\r\nContent-Length: 99\r\nX-Request-ID: slow-1\r\n\r\n{"
    address = ("127.0.0.1", int(proxy.rpartition(":")[2]))
    with ExitStack() as open_:
        stalled = [open_.enter_context(socket.create_connection(address, timeout=20)) for _ in range(CONNECTIONS + 6)]
        for client in stalled:
            client.sendall(head)
        started = time.monotonic()
        assert post(f"{proxy}/status/200")[0] == 200
        assert time.monotonic() - started < 2
        answers = [client.recv(4096) for client in stalled]
        assert time.monotonic() - started < 15
    heads, bodies = zip(*(answer.split(b"\r\n\r\n") for answer in answers), strict=True)
    assert {line.split(b"\r\n")[0].split()[1] for line in heads} == {b"408"}
    assert {json.loads(body)["request_id"] for body in bodies} == {"slow-1"}


def test_the_replica_is_given_the_id_that_the_answer_bears_and_the_answer_bears_it_once(proxy: str) -> None:
    for given, taken in (("mine-1", r"mine-1"), ("a\tb", r"[0-9a-f-]{36}"), ("", r"[0-9a-f-]{36}")):
        _, headers, _ = post(f"{proxy}/status/200", **({"X_Request_ID": given} if given else {}))
        assert re.fullmatch(taken, headers["x-request-id"])
        assert headers["was-given"] == headers["x-request-id"]
        assert headers.get_all("x-request-id") == [headers["x-request-id"]]


@pytest.mark.parametrize(("status", "message"), [(503, "busy"), (500, "failed")])
def test_what_serve_refuses_in_plain_text_has_the_shape_of_errors(proxy: str, status: int, message: str) -> None:
    code, headers, body = post(f"{proxy}/status/{status}", X_Request_ID="mine-1")
    assert (code, headers["x-request-id"], headers["content-type"]) == (status, "mine-1", "application/json")
    answer = json.loads(body)
    assert list(answer) == ["code", "message", "field", "request_id"]
    assert (answer["code"], answer["request_id"]) == (status, "mine-1")
    assert message in answer["message"]


def test_an_id_that_is_none_is_replaced_in_an_error(proxy: str) -> None:
    _, headers, body = post(f"{proxy}/status/503", X_Request_ID='a"}b')
    assert json.loads(body)["request_id"] == headers["x-request-id"]
    assert re.fullmatch(r"[0-9a-f-]{36}", headers["x-request-id"])


def test_without_a_replica_the_answer_is_503_in_the_same_shape(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder, front = tmp_path_factory.mktemp("h"), free_port()
    process = subprocess.Popen([PROGRAM, "-db", "-f", filled_in(folder, front, 0)])
    try:
        end = time.monotonic() + 20
        while True:
            try:
                code, headers, body = post(f"http://127.0.0.1:{front}/status/200")
                break
            except OSError:
                assert time.monotonic() < end
                time.sleep(0.05)
    finally:
        process.kill()
        process.wait()
    assert (code, headers["retry-after"]) == (503, "1")
    assert json.loads(body)["message"] == "no replica can be reached"
