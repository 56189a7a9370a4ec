"""Processes of ours that outlived the command that started them, known by a mark in their environment."""

import os
import signal
from contextlib import suppress
from pathlib import Path

MARK = "VIGIA_SERVICE"
"""The variable that every process of a local service inherits, HAProxy too; its value is the workspace."""


def marked(value: str) -> list[int]:
    """Ids of the living processes, but this one, whose environment holds MARK with exactly that value."""
    wanted, found = f"{MARK}={value}".encode(), []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # gone meanwhile, or somebody else's
            if wanted in (process / "environ").read_bytes().split(b"\0"):
                found.append(int(process.name))
    return [pid for pid in found if pid != os.getpid()]


def end_marked(value: str) -> list[int]:
    """End them; their ids."""
    found = marked(value)
    for pid in found:
        with suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGKILL)
    return found
