"""How many accepted rows a process still owes the prediction log, where a kill cannot reach it.

Two numbers in a small file that is mapped into memory: noting a row costs less than a microsecond and outlives the
process, though not the machine. A lock on the file, which the kernel lets go of, tells the dead from the living.
"""

import fcntl
import mmap
import os
import struct
from contextlib import suppress
from pathlib import Path

_NUMBERS = struct.Struct("<qq")  # rows accepted; rows settled, that is written or given up and counted
_NUMBER = struct.Struct("<q")
_SUFFIX = ".rows"


class Journal:
    """The journal of this process in ``folder``, under a name of its own. Raises OSError where it cannot be made."""

    def __init__(self, folder: Path, name: str) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._file = folder / f"{name}{_SUFFIX}"
        unseen = folder / f".{name}.new"  # whoever sees the name finds it locked
        self._handle = os.open(unseen, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC | os.O_TRUNC, 0o600)
        os.write(self._handle, _NUMBERS.pack(0, 0))
        fcntl.flock(self._handle, fcntl.LOCK_EX)
        os.rename(unseen, self._file)
        self._map = mmap.mmap(self._handle, _NUMBERS.size)

    def accept(self, rows: int) -> None:
        """Set how many rows were accepted since the process started; for one thread."""
        _NUMBER.pack_into(self._map, 0, rows)

    def settle(self, rows: int) -> None:
        """Set how many of them are settled; for one thread."""
        _NUMBER.pack_into(self._map, _NUMBER.size, rows)

    def close(self) -> None:
        """Let go; nothing is left behind where nothing is owed."""
        accepted, settled = _NUMBERS.unpack_from(self._map)
        if accepted == settled:
            self._file.unlink(missing_ok=True)
        self._map.close()
        os.close(self._handle)


def settle_the_dead(folder: Path) -> int:
    """Rows that processes of this folder owed when they died, each counted by one caller; their journals go."""
    return sum(_owed(file) for file in folder.glob(f"*{_SUFFIX}")) if folder.is_dir() else 0


def _owed(file: Path) -> int:
    with suppress(OSError, struct.error):  # gone meanwhile, or of a living process
        handle = os.open(file, os.O_RDWR | os.O_CLOEXEC)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.fstat(handle).st_nlink:  # else another has counted it
                accepted, settled = _NUMBERS.unpack(os.read(handle, _NUMBERS.size))
                file.unlink()
                return int(max(accepted - settled, 0))
        finally:
            os.close(handle)
    return 0
