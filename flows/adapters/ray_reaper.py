"""A small process beside a local Ray: ends what Ray leaves running when its driver is killed, and removes its folder.

Ray's agents notice that their raylet is gone, and then wait a minute for the GCS, which died with it. Run as a file, so
that it starts at once.
"""

import os
import shutil
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path

_TRIES, _PAUSE_S = 50, 0.1


def reap(folder: Path) -> None:
    """Kill every process that has a file of the folder open, then remove the folder."""
    for _ in range(_TRIES):
        found = holders(folder)
        if not found:
            break
        for pid in found:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(_PAUSE_S)
    shutil.rmtree(folder, ignore_errors=True)


def holders(folder: Path) -> list[int]:
    """Processes with a file of the folder open; none where there is no /proc."""
    inside, found = f"{folder.resolve()}{os.sep}", []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # gone, or not ours
            if any(os.readlink(entry).startswith(inside) for entry in (process / "fd").iterdir()):
                found.append(int(process.name))
    return [pid for pid in found if pid != os.getpid()]


if __name__ == "__main__" and not sys.stdin.read():  # ends without a word only when the driver is gone
    reap(Path(sys.argv[1]))
