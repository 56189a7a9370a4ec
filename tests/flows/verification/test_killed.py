"""`vigia verify` as a process that is killed between its log line and the alias, and a plain run after it."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict
from pathlib import Path

import pytest

from flows.adapters.service_record import ServiceRecord
from flows.workspace import Workspace
from tests.fakes.serve import TOKEN
from tests.flows.verification.conftest import Place

PATIENCE_S = 120.0


@pytest.fixture
def workspace(place: Place) -> Workspace:
    """The workspace of the place, whose service is the scripted fleet."""
    found = Workspace(place.doors.log.path.parent)
    found.token.write_text(TOKEN)
    record = ServiceRecord(os.getpid(), place.doors.api.dashboard, place.doors.api.url, "")
    found.service.write_text(json.dumps(asdict(record)))
    return found


@contextmanager
def unwritable(registry: str) -> Iterator[None]:
    """The registry answers, and whoever writes to it waits."""
    with closing(sqlite3.connect(registry.removeprefix("sqlite:///"), isolation_level=None)) as database:
        database.execute("BEGIN IMMEDIATE")
        yield
        database.execute("ROLLBACK")


def start(workspace: Workspace) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "flows", "verify", "--workspace", str(workspace.root), "--over", "0.1"]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def wait_for_line(log: Path, lines: int, process: "subprocess.Popen[str]") -> None:
    """Return as soon as the log has more lines than that."""
    end = time.monotonic() + PATIENCE_S
    while len(log.read_text().splitlines()) <= lines:
        assert process.poll() is None, process.communicate()[0]
        assert time.monotonic() < end
        time.sleep(0.01)


@pytest.mark.slow
def test_killed_between_the_log_and_the_alias_a_plain_run_completes_it(place: Place, workspace: Workspace) -> None:
    place.roll_out(1)
    place.promote(2)
    place.apply()
    log = place.doors.log
    lines = len(log.read())
    with unwritable(place.doors.environment.registry):
        process = start(workspace)
        wait_for_line(log.path, lines, process)
        process.kill()
        process.communicate()
    assert process.returncode == -signal.SIGKILL
    assert (place.alias("champion"), place.alias("previous")) == ("1", "")  # told in the log, and not done
    assert (log.read()[-1].alias, log.read()[-1].version) == ("previous-local", "1")
    again = start(workspace)
    said = again.communicate(timeout=PATIENCE_S)[0]
    assert again.returncode == 0, said
    assert (place.alias("champion"), place.alias("previous")) == ("2", "1")
    moves = [(move.alias, move.version) for move in log.read()]
    assert moves == [("champion-local", "1"), ("previous-local", "1"), ("champion-local", "2")]
