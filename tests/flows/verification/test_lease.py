"""One verifier at a time, and a log from which no alias move is missing."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from features.errors import RetryError
from flows.alias_log import AliasLog, AliasMove
from flows.lease import FileLease

HOLD = """
import sys, time
from pathlib import Path
from flows.lease import FileLease
with FileLease(Path(sys.argv[1])).held(0):
    print("held", flush=True)
    time.sleep(60)
"""


def move(version: str, commit: str = "c1", alias: str = "champion-local") -> AliasMove:
    return AliasMove("2026-01-01T00:00:00+00:00", "local", alias, "m", "", version, "d", commit)


def test_a_second_holder_waits_for_the_first(tmp_path: Path) -> None:
    order: list[str] = []

    def second() -> None:
        with FileLease(tmp_path / "leases" / "e").held(20):
            order.append("second")

    with FileLease(tmp_path / "leases" / "e").held(0):
        thread = threading.Thread(target=second)
        thread.start()
        time.sleep(0.3)
        order.append("first")
    thread.join()
    assert order == ["first", "second"]


def test_who_waits_too_long_learns_who_holds_it_and_tries_again_later(tmp_path: Path) -> None:
    with FileLease(tmp_path / "e").held(0):
        began = time.monotonic()
        with pytest.raises(RetryError, match=f"e: process {os.getpid()} is at it"), FileLease(tmp_path / "e").held(0.2):
            pass
        assert time.monotonic() - began < 5


def test_what_a_killed_holder_left_is_free(tmp_path: Path) -> None:
    holder = subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path / "e")], stdout=subprocess.PIPE)
    assert holder.stdout is not None
    assert holder.stdout.readline() == b"held\n"
    with pytest.raises(RetryError, match=f"process {holder.pid} "), FileLease(tmp_path / "e").held(0):
        pass
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    with FileLease(tmp_path / "e").held(5):
        pass


def test_another_environment_has_a_lease_of_its_own(tmp_path: Path) -> None:
    with FileLease(tmp_path / "a").held(0), FileLease(tmp_path / "b").held(0):
        for name in ("a", "b"):
            with pytest.raises(RetryError, match=f"{name}: process"), FileLease(tmp_path / name).held(0):
                pass


def test_moves_are_appended_in_order(tmp_path: Path) -> None:
    log = AliasLog(tmp_path / "aliases.jsonl")
    assert log.read() == []
    for version in ("1", "2", "1"):
        log.append(move(version, f"c{version}"))
    assert [found.version for found in log.read()] == ["1", "2", "1"]


def test_a_move_that_is_tried_again_is_noted_once(tmp_path: Path) -> None:
    log = AliasLog(tmp_path / "aliases.jsonl")
    log.append(move("1"))
    log.append(move("7", alias="previous-local"))
    log.append(move("1"))
    assert len(log.read()) == 2


def test_a_line_that_was_torn_hides_no_other(tmp_path: Path) -> None:
    log = AliasLog(tmp_path / "aliases.jsonl")
    log.append(move("1"))
    with log.path.open("ab") as file:
        file.write(b'{"at": "2026')
    log.append(move("2"))
    assert [found.version for found in log.read()] == ["1", "2"]
