"""A real MLflow server on a backend store and an S3 bucket of the caller's; it can be stopped and started again."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

_START_S = 120


@dataclass
class MlflowServer:
    """Where it is, at a port that it keeps, and what it logs."""

    uri: str
    log: Path
    settings: Mapping[str, str]
    _process: "subprocess.Popen[bytes] | None" = field(default=None, repr=False)

    def start(self) -> None:
        """Start it, and wait until it answers."""
        port = self.uri.rpartition(":")[2]
        command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", port, "--workers", "2"]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                command, env={**os.environ, **self.settings}, stdout=log, stderr=log, start_new_session=True
            )
        end = time.monotonic() + _START_S
        while True:
            try:
                with urllib.request.urlopen(f"{self.uri}/health", timeout=5):
                    return
            except OSError:
                if self._process.poll() is not None or time.monotonic() > end:
                    raise AssertionError(self.log.read_text()[-3_000:]) from None
                time.sleep(0.2)

    def stop(self) -> None:
        """End it and its workers."""
        if self._process is not None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None


@contextmanager
def mlflow_server(backend: str, artifacts: str, folder: Path, settings: Mapping[str, str]) -> Iterator[MlflowServer]:
    """A running server. ``backend``: SQLAlchemy URI; ``artifacts``: s3:// URI; ``folder``: of its log."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    own = {
        "MLFLOW_BACKEND_STORE_URI": backend,
        "MLFLOW_ARTIFACTS_DESTINATION": artifacts,
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",  # a job runner of seven processes that nobody here needs
    }
    server = MlflowServer(f"http://127.0.0.1:{port}", folder / "mlflow.log", {**settings, **own})
    server.start()
    try:
        yield server
    finally:
        server.stop()
