"""The door to a Ray of our own: started for a command in a private folder, gone when the command ends or is killed."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import ray

_REAPER = Path(__file__).with_name("ray_reaper.py")


@contextmanager
def running_ray(folder: Path, cpus: int | None = None) -> Iterator[None]:
    """Ray without dashboard in ``folder``, which is removed at the end, also when this process is killed."""
    reaper = subprocess.Popen(
        [sys.executable, "-I", str(_REAPER), str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        start_new_session=True,  # Ctrl-C is for the command alone
    )
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
        reaper.communicate(b"done")
        shutil.rmtree(folder, ignore_errors=True)
