"""What the service is measured beside: each peer as a command in a virtual environment of its own."""

import os
import secrets
import signal
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from tests.bench.serve_bundle import Twins
from tests.load.processes import free_port
from tests.peer_environment import peer_python

_PROGRAMS = Path(__file__).with_name("serve_programs")
_NAMES = ("mlflow", "scikit-learn", "numpy", "scipy", "pandas", "fastapi", "uvicorn", "uvloop", "httptools", "msgspec")
_STARTS_WITHIN_S = 90
REFERENCE = "reference: uvicorn, ASGI, ONNX"
Command = tuple[list[str], str, str]
"""Words without the port, the path that answers, the field that holds the rows."""


@dataclass(frozen=True)
class Target:
    """Something to measure: where, how its rows are wrapped, and the mark on its processes."""

    name: str
    url: str
    field: str
    mark: str


def environment() -> Path | None:
    """The interpreter that all peers run on: the versions of our own lock."""
    names = (*_NAMES, "onnxruntime", "joblib")
    return peer_python(f"serving-mlflow-{version('mlflow')}", [f"{name}=={version(name)}" for name in names])


def commands(python: Path, twins: Twins, folder: Path) -> dict[str, Command]:
    """Peer -> how to run it; makes the MLflow model in ``folder``."""
    uvicorn = [str(python), "-m", "uvicorn", "--app-dir", str(_PROGRAMS), "--no-access-log", "--log-level", "warning"]
    model = folder / "mlflow-model"
    if not model.exists():
        save = [python, _PROGRAMS / "log_pyfunc.py", twins.sklearn, model, str(twins.threshold)]
        subprocess.run(save, check=True, capture_output=True)
    mlflow = [str(python.with_name("mlflow")), "models", "serve", "--env-manager", "local", "-m", str(model)]
    return {
        REFERENCE: ([*uvicorn, "reference:app"], "/predict", "data"),
        "FastAPI, scikit-learn": ([*uvicorn, "fast:app"], "/predict", "data"),
        "mlflow models serve": ([*mlflow, "-h", "127.0.0.1"], "/invocations", "inputs"),
        "mlflow models serve, 2 workers": ([*mlflow, "-h", "127.0.0.1", "-w", "2"], "/invocations", "inputs"),
    }


@contextmanager
def peer(name: str, command: Command, twins: Twins) -> Iterator[Target]:
    """Run a peer until the end of the context; its process group is ended, and nothing else."""
    words, path, field = command
    port, token = free_port(), secrets.token_hex(8)
    settings = {"VIGIA_LOAD": token, "FOREST": str(twins.sklearn), "ONNX": str(twins.onnx)}
    settings |= {"THRESHOLD": str(twins.threshold), "MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true"}
    settings |= {"ORT_DISABLE_TELEMETRY": "1", "PATH": f"{Path(words[0]).parent}:{os.environ['PATH']}"}
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            [*words, "--port", str(port)],
            env={**os.environ, **settings},
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        try:
            _wait(f"http://127.0.0.1:{port}/health", process)
            yield Target(name, f"http://127.0.0.1:{port}{path}", field, f"VIGIA_LOAD={token}")
        finally:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _wait(url: str, process: "subprocess.Popen[bytes]") -> None:
    end = time.monotonic() + _STARTS_WITHIN_S
    while True:
        try:
            return urllib.request.urlopen(url, timeout=2).close()
        except OSError:
            if process.poll() is not None or time.monotonic() > end:
                raise
            time.sleep(0.1)
