"""The last line of a job's log: what came of it, for whoever submitted it and shares no disk with it.

    vigia-result: {"command": "drift", "exit_code": 10, "error": "", "digest": "…", …}

One line of ASCII: the prefix, then the JSON object that ``--summary`` writes into a file, with the same keys. A log
without it is that of a job that was killed. ``exit_code`` is the command's own (flows.exit_codes); the process of a job
ends with 0 for one of VERDICTS too, since whatever started the job counts anything else as a failure of the job itself.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from flows.exit_codes import ExitCode

PREFIX = "vigia-result: "
VERDICTS = frozenset({ExitCode.REFUSED, ExitCode.WATCH, ExitCode.RETRAIN})
"""Codes of commands that ran to their end and say something other than yes."""


@dataclass(frozen=True)
class Result:
    """What a job said of itself; ``exit_code`` is one of flows.exit_codes.ExitCode."""

    command: str
    exit_code: int
    error: str
    digest: str
    version: str
    run_id: str
    figures: Mapping[str, Any]
    paths: Mapping[str, str]


def result_line(told: Mapping[str, object]) -> str:
    """The line, without its end."""
    return PREFIX + json.dumps(told, separators=(",", ":"))


def read_result(log: str) -> Result | None:
    """What the last such line of a log says; None where there is none, only half of one, or a code that is not ours."""
    lines = [line for line in log.splitlines() if line.startswith(PREFIX)]
    if not lines:
        return None
    try:
        said = json.loads(lines[-1].removeprefix(PREFIX))
        found = msgspec.convert(said, Result)
        ExitCode(found.exit_code)
    except ValueError:  # of msgspec too
        return None
    return found


def job_code(code: ExitCode) -> ExitCode:
    """What the process of a job ends with."""
    return ExitCode.DONE if code in VERDICTS else code
