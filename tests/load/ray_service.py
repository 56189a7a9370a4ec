"""Ray Serve as `vigia serve` runs it, in a process of its own, with a configuration that the caller changes at will."""

import json
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from features.errors import UnreachableError
from flows.adapters.serve_api import ServeApi
from flows.environments import settled
from flows.promotion.edit import serve_config
from flows.workspace import Workspace
from serving.settings import BundleRef
from tests.load.processes import free_port

ROOT = Path(__file__).parents[2]
_OVERLAY = ROOT / "manifests" / "overlays" / "local" / "rayservice-serve-config.yaml"


@dataclass(frozen=True)
class Setup:
    """What git would say.

    user: further sections of ``user_config``; deployment: further keys of the deployment; access_log: Serve's own.
    """

    bundle: BundleRef
    previous: BundleRef = field(default_factory=BundleRef)
    user: Mapping[str, Any] = field(default_factory=dict)
    deployment: Mapping[str, Any] = field(default_factory=dict)
    access_log: bool = False

    def config(self, workspace: Workspace) -> dict[str, Any]:
        """The overlay's ``serveConfigV2`` with this in it; its files are the workspace's."""
        config = serve_config(settled(_OVERLAY.read_text(encoding="utf-8"), workspace))
        deployment = config["applications"][0]["deployments"][0]
        deployment |= self.deployment
        named = {"bundle": msgspec.to_builtins(self.bundle), "previous": msgspec.to_builtins(self.previous)}
        deployment["user_config"] = {**deployment["user_config"], **self.user, **named}
        logging = {"log_level": "WARNING", "enable_access_log": self.access_log, "encoding": "JSON"}
        return {**config, "logging_config": logging}


@dataclass(frozen=True)
class RayService:
    """A running one. mark: in the environment of each of its processes; log: what they said on stderr."""

    api: ServeApi
    mark: str
    log: Path
    process: subprocess.Popen[bytes]

    def stop(self) -> None:
        """End it as Ctrl-C does, and wait until it has."""
        assert self.process.stdin
        self.process.stdin.close()
        self.process.wait(timeout=60)

    def apply(self, setup: Setup) -> None:
        """PUT a configuration; it has been accepted when this returns, not yet carried out."""
        self.api.put(setup.config(Workspace(self.log.parent / "w")))

    def wait(self, holds: Callable[[list[dict[str, Any]]], bool], timeout_s: float = 60) -> list[dict[str, Any]]:
        """The states of all replicas, as soon as ``holds(states)``. Raises TimeoutError with the last that was said."""
        end, said = time.monotonic() + timeout_s, "nothing"
        while time.monotonic() < end:
            try:
                states = self.api.fleet()
            except UnreachableError as error:  # a replica that is given a configuration just now
                said = str(error)
            else:
                if holds(states):
                    return states
                said = str(states)
            time.sleep(0.05)
        raise TimeoutError(f"after {timeout_s:g} s the replicas say {said}")


@contextmanager
def running(setup: Setup, settings: Mapping[str, str] | None = None) -> Iterator[RayService]:
    """Start Ray Serve and wait until the application runs; all is gone afterwards.

    settings: variables of its processes, over those that `vigia serve` sets.
    """
    folder, mark = Path(tempfile.mkdtemp(prefix="vg-", dir="/tmp")), f"VIGIA_LOAD={secrets.token_hex(8)}"
    workspace = Workspace(folder / "w")
    workspace.prepare()
    name, _, value = mark.partition("=")
    environment = {**os.environ, name: value, "RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN_PATH": str(workspace.token)}
    order = json.dumps({"config": setup.config(workspace), "settings": dict(settings or {}), "port": free_port()})
    with open(folder / "log", "wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.load.ray_service", str(folder)],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
        )
    assert process.stdin
    assert process.stdout
    try:
        process.stdin.write(order.encode() + b"\n")
        process.stdin.flush()
        record = process.stdout.readline()
        if not record:
            raise RuntimeError((folder / "log").read_text(errors="replace")[-4_000:])
        api = ServeApi(**json.loads(record), token=workspace.token.read_text().strip())
        yield RayService(api, mark, folder / "log", process)
    finally:
        process.stdin.close()
        try:
            process.wait(timeout=60)
        finally:
            process.kill()
            shutil.rmtree(folder, ignore_errors=True)


def main() -> None:
    """Serve what the first line of stdin says until stdin closes; tells where on stdout."""
    from flows.adapters.local_service import service  # imports Ray, which the tests themselves need not

    order = json.loads(sys.stdin.readline())
    folder = Path(sys.argv[1])
    workspace = Workspace(folder / "w")
    os.environ.update(RAY_USAGE_STATS_ENABLED="0")
    with service(workspace, folder, order["port"], order["settings"]) as record:
        api = ServeApi(record.dashboard, workspace.token.read_text().strip(), record.url)
        api.put(order["config"])
        api.wait_until_running()
        print(json.dumps({"dashboard": record.dashboard, "url": record.url}), flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main()
