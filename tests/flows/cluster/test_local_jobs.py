"""`vigia submit --env local`: the same commands and outcomes, through the Jobs API of a Ray on this machine."""

import json
import os
import shlex
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from flows.cli.main import main
from tests.fakes.ray_jobs import TOKEN, FakeRay, ray_jobs
from tests.flows.cluster.submitting import said

ROOT = Path(__file__).parents[3]


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeRay]:
    monkeypatch.setenv("RAY_AUTH_TOKEN", TOKEN)
    with ray_jobs() as found:
        yield found


def vigia(tmp_path: Path, fake: FakeRay, *words: str) -> int:
    return main([*words, "--workspace", str(tmp_path / "ws"), "--address", fake.url])


def test_a_job_runs_vigia_of_this_machine_in_this_workspace(fake: FakeRay, tmp_path: Path) -> None:
    assert vigia(tmp_path, fake, "submit", "validate", "a b.csv", "--set", "data.label=null") == 0
    (job,) = fake.jobs.values()
    place = f"--workspace {tmp_path / 'ws'} --result-line"
    called = f"{sys.executable} -m flows validate {place} 'a b.csv' --set data.label=null"
    assert job["entrypoint"] == f"cd {shlex.quote(str(Path.cwd()))} && {called}"
    assert job["metadata"] == {"app.kubernetes.io/part-of": "vigia", "vigia/job": "validate"}


@pytest.mark.parametrize(
    ("status", "code", "exit_code"),
    [("SUCCEEDED", 0, 0), ("SUCCEEDED", 11, 11), ("SUCCEEDED", 3, 3), ("FAILED", 2, 2), ("FAILED", 1, 1)],
)
def test_the_outcome_is_that_of_the_job(
    fake: FakeRay, tmp_path: Path, capsys: pytest.CaptureFixture[str], status: str, code: int, exit_code: int
) -> None:
    fake.end = (status, f"words\n{said(code, error='said so')}\n")
    assert vigia(tmp_path, fake, "submit", "drift", "--wait") == exit_code
    told = capsys.readouterr()
    assert "words" in told.out
    assert ("said so" in told.err) == (code in (1, 2, 3))


def test_jobs_are_listed_shown_and_stopped(fake: FakeRay, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fake.end = ("RUNNING", "so far\n")
    vigia(tmp_path, fake, "submit", "train")
    (name,) = fake.jobs
    assert vigia(tmp_path, fake, "jobs", "list") == vigia(tmp_path, fake, "jobs", "logs", name) == 0
    told = capsys.readouterr().out
    assert (f"{name:<34} train" in told, "so far" in told) == (True, True)
    assert [vigia(tmp_path, fake, "jobs", "stop", name) for _ in range(2)] == [0, 0]
    assert capsys.readouterr().out.count("which had ended already (Complete, STOPPED)") == 1
    for words in (("stop", "other"), ("logs", "other"), ("logs", "other", "--follow")):
        assert vigia(tmp_path, fake, "jobs", *words) == 2
        assert (
            "must be one that `vigia jobs list` shows; it may have been deleted, got 'other'" in capsys.readouterr().err
        )


def test_a_job_that_was_killed_is_told_at_once_without_its_log_again(
    fake: FakeRay, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fake.end = ("FAILED", "words\n")
    fake.message = "failed with exit code 137, last available logs (truncated to 20,000 chars): words"
    (tmp_path / "places.yaml").write_text("bench: {controller: reconcile}")
    there = ("--env", "bench", "--environments", str(tmp_path / "places.yaml"))
    began = time.monotonic()
    assert vigia(tmp_path, fake, "submit", "train", "--wait", *there) == 4
    assert time.monotonic() - began < 20  # a log of this machine does not lag, whatever its environment is called
    told = capsys.readouterr()
    (name,) = fake.jobs
    assert told.out.splitlines().count("words") == 1
    assert f"{name} failed without a result: Failed: failed with exit code 137; `vigia jobs logs {name}" in told.err
    back = shlex.join([*there[:2], "--address", fake.url, *there[2:], "--workspace", str(tmp_path / "ws")])
    assert f"`vigia jobs logs {name} --follow {back}` shows its log" in told.err


@pytest.mark.parametrize("address", ["", "127.0.0.1", "127.0.0.1:8265", "ray://127.0.0.1:10001", "http://"])
def test_an_address_that_is_none_is_bad_input(tmp_path: Path, address: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["jobs", "list", "--workspace", str(tmp_path / "ws"), "--address", address]) == 2
    assert (
        f"--address: must be the URL of Ray's dashboard, http://host:port, got '{address}'" in capsys.readouterr().err
    )


def test_what_is_no_ray_is_told_with_what_would_be_one(
    fake: FakeRay, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fake.other = True
    for words in (("jobs", "list"), ("submit", "train"), ("jobs", "logs", "a")):
        assert vigia(tmp_path, fake, *words) == 4
        told = capsys.readouterr().err
        assert f"the Ray at {fake.url} does not answer as it should" in told
        assert "`vigia serve` runs one; --address names" in told


def test_a_job_of_another_environment_of_this_machine_is_told_which(fake: FakeRay, tmp_path: Path) -> None:
    (tmp_path / "places.yaml").write_text("bench: {controller: reconcile}")
    assert (
        vigia(tmp_path, fake, "submit", "train", "--env", "bench", "--environments", str(tmp_path / "places.yaml")) == 0
    )
    (job,) = fake.jobs.values()
    assert f"--env bench --environments {tmp_path / 'places.yaml'}" in job["entrypoint"]


def test_a_token_that_ray_does_not_accept_is_told_and_not_shown(
    fake: FakeRay, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAY_AUTH_TOKEN", "token-of-yesterday")
    assert vigia(tmp_path, fake, "jobs", "list") == 4
    monkeypatch.delenv("RAY_AUTH_TOKEN")
    assert vigia(tmp_path, fake, "submit", "train") == 4
    told = capsys.readouterr().err
    assert told.count("does not accept this token; it is $RAY_AUTH_TOKEN") == 2
    assert "token-of-yesterday" not in told


def test_without_a_ray_it_is_said_how_to_start_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["jobs", "list", "--workspace", str(tmp_path / "ws")]) == 4
    assert "start it with `vigia serve`" in capsys.readouterr().err


@contextmanager
def another_ray() -> Iterator[None]:
    """The port that the agent of every Ray asks for is taken, as by a training that runs beside the service."""
    with socket.socket() as taken:
        with suppress(OSError):  # there is one
            taken.bind(("127.0.0.1", 52365))
            taken.listen()
        yield


_SERVICE = """
import os, sys
from pathlib import Path
from flows.adapters.local_service import service
from flows.workspace import Workspace

workspace = Workspace(Path(sys.argv[1]))
workspace.prepare()
os.environ.update(RAY_AUTH_MODE="token", RAY_AUTH_TOKEN_PATH=str(workspace.token), RAY_USAGE_STATS_ENABLED="0")
with service(workspace, Path(sys.argv[2]), int(sys.argv[3])):
    print("ready", flush=True)
    sys.stdin.read()
"""


@pytest.mark.slow
def test_a_job_of_a_real_ray_succeeds_fails_and_is_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    workspace = tmp_path / "ws"
    with another_ray(), tempfile.TemporaryDirectory(prefix="vg-", dir="/tmp") as folder:
        command = [sys.executable, "-c", _SERVICE, str(workspace), folder, "18473"]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        with subprocess.Popen(command, cwd=ROOT, text=True, env={**os.environ}, **pipes) as process:
            assert process.stdout
            assert process.stdout.readline() == "ready\n"
            summary = tmp_path / "summary.json"
            words = ["submit", "validate", "--wait", "--workspace", str(workspace), "--summary", str(summary)]
            assert main(words) == 0
            assert json.loads(summary.read_text())["figures"]["job"].startswith("validate-")
            assert main([*words, str(tmp_path / "absent.csv")]) == 2
            assert "data.uri: does not exist" in capsys.readouterr().err
            assert main(["jobs", "list", "--workspace", str(workspace)]) == 0
            assert capsys.readouterr().out.count("validate-") == 2
            process.communicate("", timeout=60)
