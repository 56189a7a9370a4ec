"""The door to a Ray of our own: started for one command, in a private folder, gone when the command ends."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import ray

_SOCKET_LIMIT = 107 - len("/session_2026-01-01_00-00-00_000000_0000000/sockets/plasma_store.1")


def session_folder(temporary: str) -> Path:
    """A new private folder for Ray's session, short enough for its socket paths."""
    parent = temporary if len(temporary) + len("/vigia-12345678") <= _SOCKET_LIMIT else "/tmp"
    return Path(tempfile.mkdtemp(prefix="vigia-", dir=parent))


@contextmanager
def running_ray(folder: Path, cpus: int | None = None) -> Iterator[None]:
    """Ray without dashboard in ``folder``, which is removed at the end."""
    try:
        ray.init(
            num_cpus=cpus or max(2, os.cpu_count() or 1),
            include_dashboard=False,
            log_to_driver=False,
            logging_level="error",
            _temp_dir=str(folder),
        )
        yield
    finally:
        ray.shutdown()
        shutil.rmtree(folder, ignore_errors=True)
