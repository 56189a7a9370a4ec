"""A distributed fit loses a worker and ends as if it had not."""

import os
import signal
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import torch

from flows.adapters.local_ray import running_ray
from serving.graph import Graph
from training.detectors import autoencoder
from training.distributed import fit_distributed

pytestmark = pytest.mark.slow


def workers_below(folder: Path) -> list[int]:
    """Process ids of the training workers of the Ray that lives in ``folder``."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_text()
            parent = process.joinpath("stat").read_text().rpartition(")")[2].split()[1]
            if "RayTrainWorker" in command and str(folder) in Path("/proc", parent, "cmdline").read_text():
                found.append(int(process.name))
        except OSError:  # ended meanwhile
            continue
    return sorted(found)


def saved_epochs(storage: Path) -> set[int]:
    """Epochs of the checkpoints that are there now."""
    found = set()
    for path in storage.glob("*/*/training.pt"):
        try:
            found.add(torch.load(path, weights_only=True)["progress"][0])
        except (OSError, EOFError, RuntimeError):  # half written, or replaced meanwhile
            continue
    return found


class Killer:
    """Kills one worker after the first checkpoint, and notes epochs as their checkpoints appear."""

    def __init__(self, ray: Path, storage: Path) -> None:
        self._ray, self._storage, self._end = ray, storage, threading.Event()
        self.killed: list[int] = []
        self.before: list[int] = []
        self.after: list[int] = []

    @contextmanager
    def at_work(self) -> Iterator[None]:
        thread = threading.Thread(target=self._watch)
        thread.start()
        try:
            yield
        finally:
            self._end.set()
            thread.join()

    def _watch(self) -> None:
        while not self._end.wait(0.05):
            epochs = saved_epochs(self._storage)
            if self.killed:
                self.after += sorted(epochs - {*self.before, *self.after})
            elif epochs and (pids := workers_below(self._ray)):
                self.before = sorted(epochs)
                os.kill(pids[-1], signal.SIGKILL)
                self.killed = pids


def test_a_fit_that_loses_a_worker_goes_on_from_its_checkpoint_and_ends_the_same() -> None:
    rng = np.random.default_rng(0)
    values = (rng.normal(size=(4_000, 2)) @ rng.normal(size=(2, 6)) + rng.normal(0, 0.1, (4_000, 6))).astype(np.float32)
    parameters = {**autoencoder.DEFAULTS, "epochs": 12, "patience": 12}
    with tempfile.TemporaryDirectory(prefix="vigia") as name:
        folder = Path(name)
        killer = Killer(folder / "ray", folder / "killed")
        with running_ray(folder / "ray", 2):
            whole = fit_distributed(values, parameters, 3, workers=2, storage=folder / "whole")
            with killer.at_work():
                found = fit_distributed(values, parameters, 3, workers=2, storage=folder / "killed")
    assert len(killer.killed) == 2
    assert killer.after
    assert min(killer.after) > max(killer.before), "began anew instead of going on"
    np.testing.assert_allclose(Graph(found).score(values), Graph(whole).score(values), rtol=1e-4)
    alone = Graph(autoencoder.fit(values, parameters, 3)).score(values)
    assert Graph(found).score(values).mean() < 1.5 * alone.mean()
