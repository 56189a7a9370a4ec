"""A killed search goes on: the same table, one nested run a trial, no process left behind."""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from mlflow import MlflowClient

from tests.faults.search_driver import EXPERIMENT, TRIALS, open_registry, table, uri
from training.trials import Trial, read_trials

ROOT = Path(__file__).parents[2]


class Driver:
    """A process that searches, in a new private Ray folder each time it is started."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.lives, self._left = folder, 0, set[Path]()
        folder.mkdir(parents=True)
        open_registry(folder)  # the first use of a database takes seconds, and is not what is killed here

    def start(self) -> subprocess.Popen[str]:
        self.lives += 1
        ray = Path(f"/tmp/vg-{os.getpid()}-{self.folder.name}-{self.lives}")  # socket paths may have 107 bytes
        self._left.add(ray)
        command = [sys.executable, "-m", "tests.faults.search_driver", str(self.folder), str(ray)]
        return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def finish(self) -> None:
        done = self.start()
        output, _ = done.communicate(timeout=120)
        assert done.returncode == 0, output

    def check(self, expected: list[Trial]) -> None:
        assert list(read_trials(self.folder / "trials").values()) == expected
        client = MlflowClient(uri(self.folder))
        experiment = client.get_experiment_by_name(EXPERIMENT).experiment_id
        parents = client.search_runs([experiment], f"attributes.run_name = '{self.folder.name}'")
        assert [parent.info.status for parent in parents] == ["FINISHED"]
        nested = client.search_runs([experiment], f"tags.`mlflow.parentRunId` = '{parents[0].info.run_id}'")
        assert sorted(int(run.data.tags["trial"]) for run in nested) == list(range(TRIALS))
        for run in nested:
            trial = expected[int(run.data.tags["trial"])]
            assert run.info.status == ("FAILED" if trial.error else "FINISHED")
            assert {name: run.data.metrics[name] for name in trial.figures} == dict(trial.figures)
            assert run.data.params == {name: str(value) for name, value in trial.parameters.items()}

    def clean(self) -> None:
        for ray in self._left:
            shutil.rmtree(ray, ignore_errors=True)


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> list[Trial]:
    found = table(tmp_path_factory.mktemp("expected"))
    assert any(trial.error for trial in found)
    return found


@pytest.fixture
def driver(tmp_path: Path) -> Iterator[Driver]:
    found = Driver(tmp_path / "run")
    yield found
    found.clean()


def test_killed_twice_it_comes_to_the_same_table(driver: Driver, expected: list[Trial]) -> None:
    for trials in (1, 4):
        process = driver.start()
        until(lambda least=trials: len(read_trials(driver.folder / "trials")) >= least)  # type: ignore[misc]
        kill(process)
    driver.finish()
    driver.check(expected)


@pytest.mark.slow
@pytest.mark.timeout(1_200)
def test_killed_at_twenty_random_moments_it_comes_to_the_same_table(tmp_path: Path, expected: list[Trial]) -> None:
    chance, kills, longest_s = random.Random(1), 0, 20.0
    for number in range(20):
        driver = Driver(tmp_path / f"run{number}" / f"run{number}")
        while True:
            process, started = driver.start(), time.monotonic()
            wait_s = chance.uniform(1.0, longest_s) if kills < 20 else 120.0
            try:
                process.wait(wait_s)
            except subprocess.TimeoutExpired:
                kill(process)
                kills += 1
                continue
            assert process.returncode == 0, process.communicate()[0]
            longest_s = time.monotonic() - started + 1.0 if driver.lives == 1 else longest_s
            break
        driver.check(expected)
        driver.clean()
        if kills >= 20:
            break
    assert kills == 20


def kill(process: subprocess.Popen[str]) -> None:
    """SIGKILL the driver alone; what it started must end by itself."""
    started = descendants(process.pid)
    process.send_signal(signal.SIGKILL)
    process.wait()
    left: dict[int, str] = {}
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        left = {pid: command for pid, (born, command) in started.items() if birth(pid) == born}
        if not left:
            return
        time.sleep(0.1)
    for pid in left:
        os.kill(pid, signal.SIGKILL)
    pytest.fail(f"these outlived the driver: {left}")


def descendants(pid: int) -> dict[int, tuple[str, str]]:
    """Every process below a process, with the time it began and its command."""
    parents = {int(entry.name): status(int(entry.name)) for entry in Path("/proc").iterdir() if entry.name.isdigit()}
    found, level = dict[int, tuple[str, str]](), {pid}
    while level:
        level = {child for child, fields in parents.items() if fields and int(fields[1]) in level}
        found |= {child: (birth(child), Path(f"/proc/{child}/cmdline").read_text()[:200]) for child in level}
    return {child: known for child, known in found.items() if known[0]}


def birth(pid: int) -> str:
    """When a process began, in ticks; "" for one that is gone or a zombie."""
    fields = status(pid)
    return fields[19] if fields and fields[0] != "Z" else ""


def status(pid: int) -> list[str]:
    """The fields of /proc/<pid>/stat after the name."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def until(true: Callable[[], bool], timeout_s: float = 90.0) -> None:
    """Wait until a condition holds."""
    deadline = time.monotonic() + timeout_s
    while not true():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)
