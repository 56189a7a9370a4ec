"""Processes under load: those that carry a mark in their environment, and the CPU time they have used."""

import os
import socket
from pathlib import Path

_TICKS_PER_S = os.sysconf("SC_CLK_TCK")


def marked(mark: str) -> list[int]:
    """Ids of the living processes whose environment holds ``mark``, as NAME=value."""
    found, wanted = [], mark.encode()
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if wanted in (process / "environ").read_bytes().split(b"\0"):
                found.append(int(process.name))
        except OSError:
            continue  # gone meanwhile, or somebody else's
    return found


def cpu_s(mark: str) -> float:
    """CPU seconds that they and the children they waited for have used."""
    return sum(_ticks(pid) for pid in marked(mark)) / _TICKS_PER_S


def memory_mb(pid: int) -> float:
    """Resident memory of one process in MB."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:")) / 1024


def replicas(mark: str) -> list[int]:
    """Ids of the processes that are Serve replicas."""
    return [pid for pid in marked(mark) if b"ServeReplica" in Path(f"/proc/{pid}/cmdline").read_bytes()]


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _ticks(pid: int) -> int:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0
    return sum(int(field) for field in fields[11:15])
