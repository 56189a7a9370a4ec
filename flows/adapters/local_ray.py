"""The door to a Ray of our own: started for one command, in a private folder, gone when the command ends."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import ray


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
