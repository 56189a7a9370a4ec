"""MLflow's own pages as a process of this machine, for the registry of an environment."""

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from features.errors import UnreachableError

_STARTS_WITHIN_S = 120.0
_ENDS_WITHIN_S = 15.0
_TOLD = 1_500  # characters of the log


@contextmanager
def mlflow_ui(registry: str, folder: Path) -> Iterator[str]:
    """The address of MLflow's pages: of a server as it is, of a database those of a process that ends with the block.

    registry: tracking URI; folder: for the log. It listens on 127.0.0.1 alone, at a free port. Raises UnreachableError
    when it does not answer in time.
    """
    if registry.startswith(("http://", "https://")):
        yield registry
        return
    log = folder / "mlflow-ui.log"
    port = _free_port()
    url = f"http://127.0.0.1:{port}"
    command = ["server", "--backend-store-uri", registry, "--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    # Its runs of jobs would be seven processes more; both names say that nobody hears of this one.
    quiet = {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false", "MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true"}
    with log.open("wb") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", "mlflow", *command],
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
            env={**os.environ, **quiet},
            start_new_session=True,  # Ctrl-C is ours: it is ended below, and so are its workers
        )
    try:
        _wait(process, url, log)
        yield url
    finally:
        _end(process)


def _wait(process: "subprocess.Popen[bytes]", url: str, log: Path) -> None:
    deadline = time.monotonic() + _STARTS_WITHIN_S
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(f"{url}/health", timeout=5):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    said = log.read_text(encoding="utf-8", errors="replace")[-_TOLD:]
    raise UnreachableError(f"MLflow's pages do not start (see {log}):\n{said}")


def _end(process: "subprocess.Popen[bytes]") -> None:
    """Its whole group: the server starts workers."""
    for number in (15, 9):
        try:
            os.killpg(process.pid, number)
        except ProcessLookupError:
            break
        try:
            process.wait(_ENDS_WITHIN_S)
            break
        except subprocess.TimeoutExpired:
            continue
    process.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
