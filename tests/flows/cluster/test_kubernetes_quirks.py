"""What stands between us and an API server: load balancers, proxies, login pages, servers of another kind."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from features.errors import UnreachableError
from flows.adapters.kubernetes_api import KubernetesApi, Seen
from flows.adapters.kubernetes_client import connect
from flows.adapters.kubernetes_kinds import PODS

PAGE = b"<html><head><title>502 Bad Gateway</title></head><body>sorry</body></html>"
SEEN = Seen({"metadata": {"name": "a"}}, "5")
Answers = list[tuple[int, bytes]]


@pytest.fixture
def answers() -> Answers:
    """What is answered next, in turn."""
    return []


@pytest.fixture
def api(answers: Answers, tmp_path: Path) -> Iterator[KubernetesApi]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, body = answers.pop(0)
            self.send_response(status)
            self.send_header("Retry-After", "30")
            self.send_header("Location", "http://127.0.0.1:1/login")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *words: object) -> None:
            """Keep quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    named = {"cluster": "c", "user": "u"}
    config = {
        "clusters": [{"name": "c", "cluster": {"server": f"http://127.0.0.1:{server.server_port}"}}],
        "users": [{"name": "u", "user": {"token": "t"}}],
        "contexts": [{"name": "c", "context": named}],
        "current-context": "c",
    }
    (tmp_path / "kubeconfig").write_text(json.dumps(config))
    yield KubernetesApi(connect(None, {"KUBECONFIG": str(tmp_path / "kubeconfig")}), "ml-dev", 5.0)
    server.shutdown()
    server.server_close()


def find(api: KubernetesApi) -> object:
    return api.find(PODS)


def watch(api: KubernetesApi) -> object:
    return api.next_change(PODS, "a", SEEN, 1)


@pytest.mark.parametrize("ask", [find, watch])
@pytest.mark.parametrize(
    ("status", "body"), [(502, PAGE), (404, PAGE), (429, b"slow down"), (302, b""), (200, PAGE), (200, b"[]")]
)
def test_what_no_api_server_says_is_worth_another_try_and_not_waited_for(
    api: KubernetesApi, answers: Answers, ask: Callable[[KubernetesApi], object], status: int, body: bytes
) -> None:
    answers[:] = [(status, body)]
    began = time.monotonic()
    with pytest.raises(UnreachableError):
        ask(api)
    assert time.monotonic() - began < 1


@pytest.mark.parametrize("line", [b'{"type": "ADDED"}\n', b'{"type": "ADDED", "object": null}\n', b"3\n", b'{"type":'])
def test_a_watch_that_makes_no_sense_is_worth_another_try(api: KubernetesApi, answers: Answers, line: bytes) -> None:
    answers[:] = [(200, line)]
    with pytest.raises(UnreachableError, match="broke off, or is none"):
        watch(api)


def test_a_list_of_none_may_be_null(api: KubernetesApi, answers: Answers) -> None:
    answers[:] = [(200, b'{"items": null, "metadata": {"resourceVersion": "7"}}')] * 2
    assert api.find(PODS) == []
    assert api.look(PODS, "a") == Seen(None, "7")


def test_a_watch_that_nothing_lets_last_is_not_asked_for_without_a_pause(api: KubernetesApi, answers: Answers) -> None:
    answers[:] = [(200, b"")]
    began = time.monotonic()
    assert watch(api) == SEEN
    assert time.monotonic() - began > 0.9


def test_a_bookmark_before_a_forgotten_version_is_no_change(api: KubernetesApi, answers: Answers) -> None:
    lines = [
        {"type": "BOOKMARK", "object": {"metadata": {"resourceVersion": "9"}}},
        {"type": "ERROR", "object": {"kind": "Status", "code": 410, "message": "too old"}},
    ]
    now = {"items": [{"metadata": {"name": "a"}}], "metadata": {"resourceVersion": "12"}}
    answers[:] = [(200, "\n".join(map(json.dumps, lines)).encode()), (200, json.dumps(now).encode())]
    assert watch(api) == Seen({"metadata": {"name": "a"}}, "12")


def test_a_page_is_told_by_its_title(api: KubernetesApi, answers: Answers) -> None:
    answers[:] = [(502, PAGE)]
    with pytest.raises(UnreachableError, match=r"answers 502 to pods in ml-dev: 502 Bad Gateway$"):
        api.find(PODS)
