"""Processes of ours: those that outlived the command that started them, and those below one that runs."""

import os
import signal
from collections.abc import Iterable
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
    end(found)
    return found


def descendants(pid: int) -> list[int]:
    """Ids of the living processes that it started, and that those did; none where there is no /proc."""
    below: dict[int, list[int]] = {}
    for process in Path("/proc").glob("[0-9]*"):
        if stated := _stat(int(process.name)):
            below.setdefault(int(stated[1]), []).append(int(process.name))
    found, left = [], [pid]
    while left:
        children = below.get(left.pop(), [])
        found += children
        left += children
    return found


def birth(pid: int) -> str:
    """What tells a process from a later one of the same id, as a container started again has; "" where nothing does."""
    return next(iter(_stat(pid)[19:20]), "")  # clock ticks from the start of the machine to its own


def _stat(pid: int) -> list[str]:
    """What Linux states of a process, after its name (proc(5), from field 3); empty where there is none."""
    with suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()
    return []


def end(pids: Iterable[int]) -> None:
    """Kill processes, those that are there and ours."""
    for pid in pids:
        with suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGKILL)
