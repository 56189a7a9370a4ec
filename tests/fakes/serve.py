"""Ray Serve's REST API and the service behind it, over HTTP; its replicas do what a test scripts."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from typing import Any

from flows.adapters.serve_api import ServeApi
from flows.promotion.edit import APPLICATION
from serving.failure import Kind

TOKEN = "token-of-the-dashboard"


@dataclass
class FakeReplica:
    """stuck: it hears of no new configuration; fails: digest -> why it cannot load that one."""

    name: str
    served: str = ""
    desired: str = ""
    since: float = 1_700_000_000.0
    stuck: bool = False
    fails: dict[str, Kind] = field(default_factory=dict)

    def configure(self, digest: str) -> None:
        """As serving.holder.Holder follows a user_config."""
        if self.stuck:
            return
        self.desired = digest
        if digest not in self.fails:
            self.served = digest

    def state(self) -> dict[str, Any]:
        """As serving.describe.state_of tells it."""
        kind = self.fails.get(self.desired, "")
        known = {"replica": self.name, "desired": self.desired, "served": self.served, "since": self.since}
        failed = {"error": f"{self.name} cannot load it", "error_kind": kind, "error_digest": self.desired}
        return known | (failed if kind else {"error": "", "error_kind": "", "error_digest": ""})


@dataclass
class FakeServe:
    """The applications that were PUT; the digest of ours reaches the replicas.

    refuse: status of every answer of the service, 0 for none; silent: names of replicas that do not answer; ghosts:
    replicas that answer and that Serve does not call RUNNING; draining: those on a node that is to go; status, message:
    of the applications; bearer: without it the service answers 401.
    """

    replicas: list[FakeReplica]
    applications: dict[str, Any] = field(default_factory=dict)
    status: str = "RUNNING"
    message: str = ""
    refuse: int = 0
    bearer: str = ""
    silent: set[str] = field(default_factory=set)
    ghosts: set[str] = field(default_factory=set)
    draining: set[str] = field(default_factory=set)
    puts: int = 0
    turns: Iterator[int] = field(default_factory=count)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def put(self, config: dict[str, Any]) -> None:
        """Serve's PUT: the applications of this configuration, and no others."""
        with self.lock:
            self.puts += 1
            logging = {key: config[key] for key in ("logging_config",) if key in config}  # as Serve does
            self.applications = {
                application.get("name", "default"): logging | application for application in config["applications"]
            }
            for replica in self.replicas:
                replica.configure(self.applied())

    def applied(self) -> str:
        """The digest in what was PUT last."""
        ours = self.applications[APPLICATION]
        return str(ours["deployments"][0]["user_config"]["bundle"]["digest"])

    def status_of(self, application: dict[str, Any]) -> dict[str, Any]:
        """One entry of Serve's answer."""
        states = dict.fromkeys(self.ghosts, "STARTING") | dict.fromkeys(self.draining, "PENDING_MIGRATION")
        replicas = [
            {"replica_id": replica.name, "state": states.get(replica.name, "RUNNING")} for replica in self.replicas
        ]
        deployments = {
            deployment["name"]: {"status": "HEALTHY", "message": self.message, "replicas": replicas}
            for deployment in application["deployments"]
        }
        return {"status": self.status, "deployed_app_config": application, "deployments": deployments}

    def fleet(self) -> list[dict[str, Any]]:
        """What the replicas say."""
        return [
            {"error": "TimeoutError()"} if replica.name in self.silent else replica.state() for replica in self.replicas
        ]

    def predict(self) -> dict[str, Any]:
        """One replica's answer, each in turn."""
        replica = self.replicas[next(self.turns) % len(self.replicas)]
        return {"scores": [0.5], "model": {"name": "m", "version": "", "digest": replica.served}}


@contextmanager
def serving(fake: FakeServe) -> Iterator[ServeApi]:
    """The API of a fake that runs meanwhile."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path == "/api/serve/applications/":
                if self.headers["Authorization"] != f"Bearer {TOKEN}":
                    return self._answer({}, 401)
                found = {name: fake.status_of(application) for name, application in fake.applications.items()}
                return self._answer({"applications": found})
            return self._answer({"replicas": fake.fleet()}, self._refused())

        def do_PUT(self) -> None:
            fake.put(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self._answer({})

        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            assert asked["data"]
            self._answer(fake.predict(), self._refused())

        def _refused(self) -> int:
            known = not fake.bearer or self.headers["Authorization"] == f"Bearer {fake.bearer}"
            return fake.refuse if known else 401

        def _answer(self, body: dict[str, Any], status: int = 0) -> None:
            content = json.dumps(body).encode()
            self.send_response(status or 200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *words: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}"
    yield ServeApi(url, TOKEN, url, timeout_s=2.0)
    server.shutdown()
    server.server_close()
