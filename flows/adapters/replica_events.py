"""The lifecycle events of the replicas of a local Ray, told by the service that runs them."""

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

_MARK = b'{"event": '  # as serving.events writes them
_PAUSE_S = 0.2


@contextmanager
def telling_events(session: Path, to: TextIO | None = None) -> Iterator[None]:
    """While this lasts, repeat on stderr each event that a worker of the Ray ``session`` writes on its own."""
    done = threading.Event()
    read: dict[Path, int] = {}

    def follow() -> None:
        while not done.wait(_PAUSE_S):
            _tell(session, read, to or sys.stderr)
        _tell(session, read, to or sys.stderr)

    thread = threading.Thread(target=follow, name="vigia-events", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join(timeout=5)


def _tell(session: Path, read: dict[Path, int], to: TextIO) -> None:
    """Repeat the whole lines since ``read``, bytes by file."""
    for file in sorted((session / "logs").glob("worker-*.err")):
        try:
            with open(file, "rb") as stream:
                stream.seek(read.get(file, 0))
                text = stream.read()
        except OSError:  # gone with its worker
            continue
        whole = text[: text.rfind(b"\n") + 1]
        read[file] = read.get(file, 0) + len(whole)
        for line in whole.splitlines():
            if line.startswith(_MARK):
                print(line.decode(errors="replace"), file=to, flush=True)
