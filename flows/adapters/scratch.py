"""Temporary folders that a killed process leaves only until the next one needs its own."""

import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_YOUNG_S = 60.0


@contextmanager
def scratch_folder(prefix: str, parent: str | None = None) -> Iterator[Path]:
    """A temporary folder for as long as the context lasts; those of that prefix that no process holds are removed."""
    for left in Path(parent or tempfile.gettempdir()).glob(f"{prefix}*"):
        with suppress(OSError):  # somebody else's, or gone meanwhile
            _remove_abandoned(left)
    with (
        tempfile.TemporaryDirectory(prefix=prefix, dir=parent, ignore_cleanup_errors=True) as name,
        _locked(Path(name), fcntl.LOCK_SH),
    ):
        yield Path(name)


def _remove_abandoned(folder: Path) -> None:
    """Remove a folder without a holder; a young one may be that of a process that is about to lock it."""
    if time.time() - folder.stat().st_mtime > _YOUNG_S:
        with _locked(folder, fcntl.LOCK_EX) as alone:
            if alone:
                shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _locked(folder: Path, how: int) -> Iterator[bool]:
    """A lock that the kernel frees however we end; False where others have it, or where the file system knows none."""
    number = os.open(folder, os.O_RDONLY)
    try:
        yield _flock(number, how)
    finally:
        os.close(number)


def _flock(number: int, how: int) -> bool:
    try:
        fcntl.flock(number, how | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
