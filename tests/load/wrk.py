"""wrk, a closed-loop HTTP load generator: bounded in time, on this machine only."""

import json
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from features.errors import InputError
from tests.load.processes import cpu_s

_SCRIPT = """
local requests, turn = {{}}, 0
for number = 0, {count} - 1 do
  local file = io.open("{folder}/" .. number, "rb")
  requests[number + 1] = wrk.format("POST", nil, {{["Content-Type"] = "{kind}"}}, file:read("*a"))
  file:close()
end
request = function()
  turn = turn % {count} + 1
  return requests[turn]
end
done = function(summary, latency, _)
  local e = summary.errors
  io.stderr:write(string.format(
    '{{"requests": %d, "us": %d, "p50": %d, "p99": %d, "max": %d, "refused": %d, "broken": %d}}',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99), latency.max,
    e.status, e.connect + e.read + e.write + e.timeout))
end
"""


@dataclass(frozen=True)
class Load:
    """What a closed loop saw. refused: answers other than 2xx, 3xx; broken: connections, reads, writes, time-outs."""

    requests: int
    per_s: float
    p50_ms: float
    p99_ms: float
    max_ms: float
    cpu_ms: float
    refused: int
    broken: int


def require_wrk() -> str:
    """The program. Raises InputError saying how to install it."""
    found = shutil.which("wrk")
    if not found:
        raise InputError("wrk", "must be installed for this bench: apt-get install wrk")
    return found


def drive(
    url: str, bodies: Sequence[bytes], kind: str, *, connections: int, seconds: float, mark: str, threads: int = 1
) -> Load:
    """POST the bodies in turn, each connection as fast as it is answered.

    url: on the loopback interface; mark: of the processes whose CPU time is told, in ms a request.
    """
    if urlsplit(url).hostname != "127.0.0.1":
        raise InputError("url", "must be on 127.0.0.1: load is for this machine alone", url)
    with tempfile.TemporaryDirectory() as folder:
        for number, body in enumerate(bodies):
            (Path(folder) / str(number)).write_bytes(body)
        script = Path(folder) / "post.lua"
        script.write_text(_SCRIPT.format(count=len(bodies), folder=folder, kind=kind))
        command = [require_wrk(), "-t", str(threads), "-c", str(connections), "-d", f"{max(1, round(seconds))}s"]
        before = cpu_s(mark)
        done = subprocess.run(
            [*command, "--latency", "--timeout", "20s", "-s", str(script), url],
            capture_output=True,
            text=True,
            check=True,
            timeout=seconds + 60,
        )
        used = cpu_s(mark) - before
    found = json.loads(done.stderr)
    good = found["requests"] - found["refused"]
    return Load(
        requests=found["requests"],
        per_s=good / (found["us"] / 1e6),
        p50_ms=found["p50"] / 1e3,
        p99_ms=found["p99"] / 1e3,
        max_ms=found["max"] / 1e3,
        cpu_ms=used * 1e3 / max(found["requests"], 1),
        refused=found["refused"],
        broken=found["broken"],
    )
