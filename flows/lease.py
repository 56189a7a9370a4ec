"""A lease: one verifier at a time for each environment."""

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Protocol

from features.errors import RetryError, UnreachableError

_ASK_AGAIN_S = 0.1


class Lease(Protocol):
    """Held by one process at a time; what a dead holder left is free to take."""

    def held(self, wait_s: float) -> AbstractContextManager[Callable[[], None]]:
        """Hold it from here on, after waiting for another holder. Raises RetryError when that takes too long.

        What it yields raises UnverifiedError once it is not certain any more that nobody else holds it.
        """
        ...


@dataclass(frozen=True)
class FileLease:
    """A lease among the processes of one machine: the kernel frees it when its holder ends, in whatever way."""

    path: Path

    @contextmanager
    def held(self, wait_s: float) -> Iterator[Callable[[], None]]:
        """See Lease. The file names the holder, for people; it stays when nobody holds it."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            file = self.path.open("a+")
        except OSError as error:
            raise UnreachableError(f"lease {self.path}: {error.strerror or error}") from error
        with file:
            self._take(file, wait_s)
            file.truncate(0)
            file.write(f"process {os.getpid()}\n")
            file.flush()
            yield lambda: None  # the kernel takes it from nobody who lives

    def _take(self, file: IO[str], wait_s: float) -> None:
        end = time.monotonic() + wait_s
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return
            except BlockingIOError as error:
                if time.monotonic() >= end:
                    file.seek(0)
                    who = file.read().strip() or "another process"
                    raise RetryError(f"{self.path.stem}: {who} is at it, for more than {wait_s:g} s") from error
            time.sleep(_ASK_AGAIN_S)
