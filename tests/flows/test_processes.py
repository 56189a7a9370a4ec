"""Processes that outlived their service are found by our mark, and only they."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from flows.adapters.processes import MARK, end_marked, marked
from flows.adapters.replica_events import telling_events
from flows.adapters.service_record import find_record
from flows.workspace import Workspace


@pytest.fixture
def orphans(tmp_path: Path) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Of this workspace, of one whose name begins the same, and of nobody."""
    environments = ({MARK: str(tmp_path)}, {MARK: f"{tmp_path}-2"}, {})
    sleep = [sys.executable, "-c", "import time; time.sleep(60)"]
    started = [subprocess.Popen(sleep, env={**os.environ, **more}) for more in environments]
    time.sleep(0.3)
    yield started
    for process in started:
        process.kill()
        process.wait()


def test_only_processes_with_our_mark_are_ended(orphans: list[subprocess.Popen[bytes]], tmp_path: Path) -> None:
    assert marked(str(tmp_path)) == [orphans[0].pid]
    assert end_marked(str(tmp_path)) == [orphans[0].pid]
    orphans[0].wait(5)
    assert [process.poll() for process in orphans[1:]] == [None, None]
    assert marked(str(tmp_path)) == []


def test_events_of_workers_are_repeated_and_nothing_else(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    logs = tmp_path / "logs"
    logs.mkdir()
    (logs / "worker-1.err").write_text('{"event": "one"}\nnoise {"event": "no"}\n')
    (logs / "gcs_server.err").write_text('{"event": "other"}\n')
    with telling_events(tmp_path):
        time.sleep(0.3)
        with open(logs / "worker-1.err", "a") as file:
            file.write('{"event": "two')
            file.flush()
            time.sleep(0.3)
            file.write('"}\n')
        (logs / "worker-2.err").write_text('{"event": "three"}\n')
    assert capsys.readouterr().err == '{"event": "one"}\n{"event": "two"}\n{"event": "three"}\n'


def test_what_a_torn_record_says_is_no_service(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    workspace.service.write_text('{"pid": 1, "url"')
    assert find_record(workspace) is None
