"""The search in a real Ray: the same seed gives the same table."""

import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import ray
from numpy.typing import NDArray

from flows.adapters.local_ray import running_ray
from training.detectors.registry import family
from training.search import Searched, search
from training.space import Report
from training.trials import Goal, Measured

FAMILIES = ("isolation_forest", "autoencoder")
FIRST = tuple((name, family(name).defaults) for name in FAMILIES)


@pytest.fixture(scope="module", autouse=True)
def _ray() -> Iterator[None]:
    with running_ray(Path(f"/tmp/vg-test-{os.getpid()}"), cpus=4):  # socket paths may have 107 bytes
        yield


def objective(
    name: str, parameters: Mapping[str, float], *, seed: int, report: Report, data: NDArray[np.float64], **more: Any
) -> Measured:
    """Figures from the parameters alone, after a random while."""
    time.sleep(random.SystemRandom().uniform(0, more.get("longest_s", 0.2)))
    if name == "autoencoder":
        for step in range(1, 10):
            report(step, parameters["learning_rate"] * step)
    if "deadly" in more and not more["deadly"].exists():
        more["deadly"].touch()
        os._exit(1)
    if parameters.get("bootstrap") is True:
        raise ValueError("a bad trial")
    value = float(np.sum(data) + seed) / (1 + abs(sum(parameters.values()) - 150))
    return Measured({"quality": value}, {"fit_s": time.perf_counter()})


def run(folder: Path, trials: int = 5, **data: Any) -> Searched:
    return search(
        objective,
        {"data": np.ones((1_000, 10)), **data},
        first=FIRST,
        trials=trials,
        goal=Goal("quality"),
        seed=7,
        folder=folder,
        cluster=nullcontext(),
    )


@pytest.mark.parametrize("repeats", [2, pytest.param(5, marks=pytest.mark.slow)])
def test_repeats_under_random_sleeps_give_one_table(tmp_path: Path, repeats: int) -> None:
    tables = [run(tmp_path / str(repeat)).trials for repeat in range(repeats)]
    assert [trial.number for trial in tables[0]] == list(range(5))
    assert all(table == tables[0] for table in tables)
    assert any(trial.error == "ValueError: a bad trial" for trial in tables[0])


def test_a_worker_that_dies_is_replaced(tmp_path: Path) -> None:
    found = run(tmp_path, 2, deadly=tmp_path / "died", longest_s=0.0)
    assert (tmp_path / "died").exists()
    assert [trial.error for trial in found.trials] == ["", ""]


def test_recorded_trials_need_no_cluster(tmp_path: Path) -> None:
    first = run(tmp_path, 2)

    class Refused(nullcontext[None]):
        def __enter__(self) -> None:
            raise AssertionError("entered")

    again = search(
        objective, {}, first=FIRST, trials=2, goal=Goal("quality"), seed=7, folder=tmp_path, cluster=Refused()
    )
    assert again == first


def test_a_job_of_a_cluster_uses_that_cluster_and_leaves_it() -> None:
    job = """
import ray, pathlib
from flows.adapters.local_ray import running_ray
with running_ray(pathlib.Path("none")):
    print(ray.get(ray.remote(lambda: ray.get_runtime_context().gcs_address).remote()))
"""
    address = ray.get_runtime_context().gcs_address
    told = subprocess.run(
        [sys.executable, "-c", job],
        env=os.environ | {"RAY_ADDRESS": address},
        capture_output=True,
        text=True,
        check=True,
    )
    assert told.stdout.strip() == address
    assert ray.get(ray.remote(lambda: 1).remote()) == 1
