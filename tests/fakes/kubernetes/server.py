"""The fake of the Kubernetes API over HTTPS on this machine, and a kubeconfig that leads to it.

What it is true to is listed by tests/fakes/test_kubernetes_conformance.py. It has no protobuf (`kubectl create` of
built-in kinds), no chunks of lists, no finalizers or webhooks, no CEL rules, no schemas of built-in kinds; to
server-side apply a list is one value.
"""

import json
import re
import ssl
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from tests.fakes.kubernetes.access import User, check
from tests.fakes.kubernetes.answering import Sent, allow, answer, read
from tests.fakes.kubernetes.answers import ApiError, bad_request
from tests.fakes.kubernetes.api import TOKEN, Kubernetes
from tests.fakes.kubernetes.certificate import write_certificate
from tests.fakes.kubernetes.discovery import discovery
from tests.fakes.kubernetes.logs import Log
from tests.fakes.kubernetes.requests import Request, request_of
from tests.fakes.kubernetes.watching import events
from tests.manifests.schema_folder import require_schemas

_PROXY = re.compile(r"^/api/v1/namespaces/([^/]+)/services/([^/]+)/proxy/(.*)$")


class _Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    fake: Kubernetes
    timeout = 60

    def _handle(self) -> None:
        where = urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.fake.log.append(f"{self.command} {self.path}")
        troubles = self.fake.troubles
        time.sleep(troubles.slow_s)
        refused = troubles.failures.pop(0) if troubles.failures else troubles.refuse
        try:
            if refused:
                raise ApiError(refused, "InternalError" if refused == 500 else "ServiceUnavailable", "said the server")
            self._answer(where.path, dict(parse_qsl(where.query)), body)
        except ApiError as error:
            self._json(error.code, error.status())

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _handle

    def _answer(self, path: str, query: dict[str, str], body: bytes) -> None:
        if path in ("/healthz", "/livez", "/readyz"):
            return self._text(200, "ok")
        user = self.fake.access.user(self.headers.get("Authorization", ""))
        if self.command == "GET" and (found := discovery(path, self.fake.served())) is not None:
            return self._json(200, found)
        if behind := _PROXY.match(path):
            return self._proxied(user, *map(unquote, behind.groups()))
        request = request_of(self.command, path, query, self.fake.served())
        if request is None:
            return self._text(404, "404 page not found\n")
        allow(user, request)
        if request.watch:
            return self._stream(events(self.fake, request), "application/json")
        if request.part == "log":
            return self._stream(self._container(request).read(query), "text/plain")
        sent = Sent(body, self.headers.get("Content-Type", ""), self.headers.get("User-Agent", ""))
        status, said = answer(self.fake.store, request, sent, user)
        if self.fake.troubles.lost and self.command != "GET":
            self.fake.troubles.lost -= 1
            self.close_connection = True
            return None
        return self._json(status, said)

    def _proxied(self, user: User, namespace: str, service: str, rest: str) -> None:
        check(user, "get", self.fake.kind("v1", "Service"), "proxy", namespace, service)
        found = self.fake.proxied.get(f"{namespace}/{service}/{rest}")
        if found is None:
            raise ApiError(503, "ServiceUnavailable", f'no endpoints available for service "{service}"')
        return self._json(200, found)

    def _container(self, request: Request) -> Log:
        pod = read(self.fake.store, request)
        name = request.query.get("container", "")
        found = self.fake.logs.get((request.namespace, request.name, name))
        if found is None:
            shown = name or pod.get("spec", {}).get("containers", [{"name": "main"}])[0]["name"]
            raise bad_request(f'container "{shown}" in pod "{request.name}" is waiting to start: ContainerCreating')
        return found

    def _stream(self, chunks: Iterator[str], content_type: str) -> None:
        """Chunks until they end, "" being a beat; cut without an end when a test says so."""
        cuts = self.fake.troubles.cuts
        self.send_response(200)
        self.send_header("Content-Type", content_type)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        with suppress(BrokenPipeError, ConnectionResetError, ssl.SSLError):
            for chunk in chunks:
                if self.fake.troubles.cuts != cuts or self.fake.stopping.is_set():
                    self.close_connection = True
                    return
                if chunk:
                    data = chunk.encode()
                    self.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
            self.wfile.write(b"0\r\n\r\n")

    def _json(self, status: int, body: Any) -> None:
        self._text(status, json.dumps(body), "application/json")

    def _text(self, status: int, text: str, content_type: str = "text/plain; charset=utf-8") -> None:
        data = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *words: object) -> None:
        """Keep quiet."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away in the middle is no news."""


class Cluster:
    """A fake that listens. ``host``: URL; ``authority``: file of its certificate; ``fake``: what it serves."""

    def __init__(self, fake: Kubernetes, folder: Path) -> None:
        self.fake, self.folder = fake, folder
        self.authority, self._key = write_certificate(folder)
        self._port = 0
        self.start()

    @property
    def host(self) -> str:
        """Where it listens."""
        return f"https://127.0.0.1:{self._port}"

    def start(self) -> None:
        """Listen, at the same port as before where there was one."""
        handler = type("Handler", (_Handler,), {"fake": self.fake})
        self.fake.stopping.clear()
        self._server = _Server(("127.0.0.1", self._port), handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.authority, self._key)
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True, do_handshake_on_connect=False)
        self._port = self._server.server_port
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def stop(self) -> None:
        """Listen no more, and cut what is open: the API server restarts."""
        self.fake.stopping.set()
        self._server.shutdown()
        self._server.server_close()

    def kubeconfig(self, token: str = TOKEN, namespace: str = "default", context: str = "fake") -> Path:
        """A file that leads here as the user of that token."""
        file = self.folder / f"kubeconfig-{context}-{abs(hash((token, namespace)))}"
        cluster = {"server": self.host, "certificate-authority": str(self.authority)}
        chosen = {"cluster": context, "user": context, "namespace": namespace}
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": context,
            "clusters": [{"name": context, "cluster": cluster}],
            "users": [{"name": context, "user": {"token": token}}],
            "contexts": [{"name": context, "context": chosen}],
        }
        file.write_text(json.dumps(config), encoding="utf-8")
        file.chmod(0o600)
        return file


@contextmanager
def kubernetes_api(
    namespaces: Iterable[str] = ("default", "ml-dev"), groups: Iterable[str] = ("*",)
) -> Iterator[Cluster]:
    """A cluster for as long as the context lasts: namespaces, and definitions of the custom kinds of some groups.

    Skips the test where there are no schemas of custom kinds.
    """
    require_schemas()
    with tempfile.TemporaryDirectory(prefix="vigia-k8s-") as folder:
        fake = Kubernetes()
        fake.prepare(namespaces, groups)
        cluster = Cluster(fake, Path(folder))
        try:
            yield cluster
        finally:
            cluster.stop()
