"""Many promotions at once, and promotions that are killed: what the repository holds then, and what a re-run does."""

import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest

from features.errors import RolloutError
from flows.adapters.clone import cloned
from flows.promotion.edit import read_leaves
from flows.steps.history import read_history
from flows.steps.promote import promote
from flows.workspace import Workspace
from tests.fakes.meddling_git import meddling_git
from tests.flows.promotion.place import FILE, Place

Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def start(place: Place, shared: tuple[Workspace, object]) -> Start:
    """Begin a promotion of a version in a process of its own; it goes on after a line on its stdin."""

    def begin(version: str, **environment: str) -> "subprocess.Popen[str]":
        command = [sys.executable, "-m", "tests.flows.promotion.racing", str(shared[0].root), str(place.repository)]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        return subprocess.Popen([*command, place.model, version], env=os.environ | environment, **pipes)

    return begin


def insist_on_one_line_of_history(place: Place, promoted: int) -> None:
    """As many promotions as there are commits, each upon the one before, and a sound repository."""
    assert place.git("rev-list", "--count", "main").strip() == str(1 + promoted)
    assert place.git("rev-list", "--merges", "main") == ""
    assert place.git("for-each-ref", "--format=%(refname)").split() == ["refs/heads/main"]
    place.git("fsck", "--strict", "--full")
    found = read_history(place.environment)
    assert len(found) == promoted
    for before, after in pairwise(found):
        assert after.previous == before.digest
    changed = place.git("log", "--format=", "--name-only", "main", "-1").split()
    assert changed == [FILE]


def test_twenty_at_once_leave_one_line_of_history_and_the_others_say_who_was_first(place: Place) -> None:
    versions = [place.register(100 + n).version for n in range(20)]
    told: dict[str, str] = {}
    barrier = threading.Barrier(20)

    def go(version: str) -> None:
        barrier.wait()
        try:
            told[version] = promote(place.environment, place.registry, place.model, version).lines[0][1]
        except RolloutError as error:
            told[version] = str(error)

    threads = [threading.Thread(target=go, args=[version]) for version in versions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(told) == 20
    done = {version for version, text in told.items() if ": commit " in text}
    assert all("superseded: meanwhile" in text for version, text in told.items() if version not in done)
    assert {entry.version for entry in read_history(place.environment)} == done
    assert read_leaves(place.text())[("bundle", "version")] in done
    insist_on_one_line_of_history(place, len(done))


@pytest.mark.slow
def test_twenty_processes_at_once_too(place: Place, start: Start) -> None:
    versions = [place.register(200 + n).version for n in range(20)]
    running = {version: start(version) for version in versions}
    for process in running.values():
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in running.values():
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    codes = {version: process.wait(timeout=900) for version, process in running.items()}
    done = {version for version, code in codes.items() if code == 0}
    assert done
    assert {code for version, code in codes.items() if version not in done} <= {5}
    insist_on_one_line_of_history(place, len(done))


KILLS = [("clone", "before"), ("clone", "after"), ("commit", "before"), ("commit", "after"), ("push", "before")]


def insist_on_completion_after_a_kill(place: Place, start: Start, folder: Path, verb: str, when: str) -> str:
    """Kill -9 there, then run again; the digest that is promoted then."""
    made = place.register(1)
    command = "kill -9 $PPID"
    meddling = meddling_git(folder / "bin", verb, before=command) if when == "before" else None
    meddling = meddling or meddling_git(folder / "bin", verb, after=command)
    process = start(made.version, PATH=f"{meddling}{os.pathsep}{os.environ['PATH']}", TMPDIR=str(folder))
    assert process.communicate("\n", timeout=120)[0] == "ready\n"
    assert process.returncode == -signal.SIGKILL
    promote(place.environment, place.registry, place.model, made.version)
    assert read_leaves(place.text())[("bundle", "digest")] == made.digest
    insist_on_one_line_of_history(place, 1)
    return made.digest


@pytest.mark.slow
@pytest.mark.parametrize(("verb", "when"), KILLS)
def test_killed_at_any_point_before_its_push_it_is_completed_by_a_plain_run(
    place: Place, start: Start, tmp_path: Path, verb: str, when: str
) -> None:
    promoted = insist_on_completion_after_a_kill(place, start, tmp_path, verb, when)
    assert [entry.digest for entry in read_history(place.environment)] == [promoted]


def test_killed_after_its_push_it_has_promoted_and_a_plain_run_commits_nothing(
    place: Place, start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    insist_on_completion_after_a_kill(place, start, tmp_path, "push", "after")
    (left,) = tmp_path.glob("vigia-clone-*")
    os.utime(left, (0, 0))  # a minute later and more
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with cloned(place.repository, "main") as living:
        assert not left.exists()
        os.utime(living.folder, (0, 0))
        with cloned(place.repository, "main"):
            assert living.read(FILE)
