"""Processes that outlived their service are found by our mark, and only they."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from features.errors import InputError, UnreachableError
from flows.adapters.local_service import service
from flows.adapters.processes import MARK, birth, descendants, end_marked, marked
from flows.adapters.processes import end as kill
from flows.adapters.replica_events import telling_events
from flows.adapters.service_record import ServiceRecord, find_record, is_alive, running_service
from flows.lease import FileLease
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


def test_what_a_process_started_is_known_down_to_its_grandchildren_and_nothing_else_is() -> None:
    script = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'import time; time.sleep(60)'])"
    with subprocess.Popen([sys.executable, "-c", script]) as parent:
        end = time.monotonic() + 20
        while not (found := descendants(parent.pid)):
            assert time.monotonic() < end
            time.sleep(0.05)
        assert len(found) == 1
        assert found[0] in descendants(os.getpid())
        kill([*found, parent.pid])
    assert descendants(parent.pid) == []


def test_a_service_is_not_taken_for_alive_because_another_process_has_its_number(tmp_path: Path) -> None:
    record = ServiceRecord(os.getpid(), "http://d", "http://u", "", born=birth(os.getpid()))
    assert is_alive(record)
    assert is_alive(replace(record, born=""))  # a machine that does not tell
    assert not is_alive(replace(record, born="1"))
    workspace = Workspace(tmp_path)
    workspace.service.write_text(json.dumps(asdict(replace(record, born="1"))))
    with pytest.raises(UnreachableError, match="no service runs"):
        running_service(workspace)


def test_a_service_that_is_about_to_start_is_not_ended_by_a_second_one(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    sleep = [sys.executable, "-c", "import time; time.sleep(60)"]
    with FileLease(workspace.leases / "serve").held(0), subprocess.Popen(sleep, env=marks(workspace)) as starting:
        time.sleep(0.3)
        with pytest.raises(InputError, match="workspace: already has a service"), service(workspace, tmp_path, 1):
            pass
        assert starting.poll() is None
        starting.kill()


def marks(workspace: Workspace) -> dict[str, str]:
    return {**os.environ, MARK: str(workspace.root)}
