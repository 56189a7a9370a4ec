"""The door to Ray for a command: one of its own, gone when it ends or is killed, or the cluster that it is a job of."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import ray

from features.errors import UnreachableError
from flows.adapters.ray_ports import own_agent_port

_REAPER = Path(__file__).with_name("ray_reaper.py")


@contextmanager
def running_ray(folder: Path, cpus: int | None = None) -> Iterator[None]:
    """Ray without dashboard in ``folder``, which is removed at the end, also when this process is killed.

    In a job of a cluster it is that cluster's, which stays; Ray tells its jobs so by RAY_ADDRESS. Raises
    UnreachableError where it did not come up within its own 30 s, as on a machine that has too much to do.
    """
    if os.environ.get("RAY_ADDRESS"):
        with _joined_cluster():
            yield
        return
    reaper = subprocess.Popen(
        [sys.executable, "-I", str(_REAPER), str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        start_new_session=True,  # Ctrl-C is for the command alone
    )
    try:
        _start(folder, cpus or max(2, os.cpu_count() or 1))
        yield
    finally:
        ray.shutdown()
        reaper.communicate(b"done")
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _joined_cluster() -> Iterator[None]:
    try:
        ray.init(log_to_driver=False, logging_level="error")
    except ConnectionError as error:
        raise UnreachableError(f"the Ray cluster of this job does not answer: {error}") from error
    try:
        yield
    finally:
        ray.shutdown()


def _start(folder: Path, cpus: int) -> None:
    try:
        with own_agent_port():
            ray.init(
                num_cpus=cpus,
                include_dashboard=False,
                log_to_driver=False,
                logging_level="error",
                _temp_dir=str(folder),
            )
    except Exception as error:  # Ray raises no kind of its own here
        if "timed out during startup" not in str(error):
            raise
        raise UnreachableError("Ray did not start within 30 s; is this machine overloaded?") from error
