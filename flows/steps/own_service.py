"""`vigia serve` as a process of its own, for as long as a demonstration takes."""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from features.errors import UnreachableError
from flows.adapters.serve_api import ServeApi
from flows.adapters.service_record import serve_api
from flows.workspace import Workspace

_START_S, _STOP_S = 180.0, 60.0


@contextmanager
def own_service(workspace: Workspace, model: str, port: int, log: Path) -> Iterator[ServeApi]:
    """The API of a service of this workspace, which writes to ``log`` and ends with the block.

    Raises UnreachableError when it does not answer within three minutes.
    """
    command = [sys.executable, "-m", "flows", "serve", "--workspace", str(workspace.root), "--model", model]
    with log.open("wb") as output:
        service = subprocess.Popen([*command, "--port", str(port)], stdout=output, stderr=output)
    try:
        yield _wait_for(workspace, service, log)
    finally:
        service.terminate()
        try:
            service.wait(timeout=_STOP_S)
        except subprocess.TimeoutExpired:
            service.kill()


def _wait_for(workspace: Workspace, service: "subprocess.Popen[bytes]", log: Path) -> ServeApi:
    end = time.monotonic() + _START_S
    while time.monotonic() < end:
        if service.poll() is not None:
            said = log.read_text(errors="replace").strip()[-2_000:]
            raise UnreachableError(f"the service ended with {service.returncode}: {said}")
        try:
            api = serve_api(workspace)
            api.model()
            return api
        except UnreachableError:
            time.sleep(0.5)
    raise UnreachableError(f"the service did not answer within {_START_S:g} s; see {log}")
