"""The search: trials in Ray, so that the same seed gives the same table.

Proposals depend on the seed and on earlier batches alone, so a killed search goes on by proposing again from the start:
a trial with a record in the run's folder is not run a second time.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import ray
from ray.exceptions import OutOfMemoryError, RayError, WorkerCrashedError

from features.errors import UnreachableError
from training.batches import BATCH, Batches
from training.proposals import make_proposer
from training.space import Parameters, Space
from training.trials import Goal, Measured, Trial
from training.worker import evaluate

_RETRIES = 2  # of workers that die; objectives return their errors


@dataclass(frozen=True)
class Searched:
    """The trials in the order of their numbers; fewer than planned where the time budget ended the search."""

    trials: tuple[Trial, ...]
    planned: int

    @property
    def cut_short(self) -> bool:
        """Whether the time budget ended it, so that a repeat may differ."""
        return len(self.trials) < self.planned


def search(
    objective: Callable[..., Measured],
    data: Mapping[str, Any],
    *,
    first: Sequence[tuple[str, Parameters]],
    trials: int,
    goal: Goal,
    seed: int,
    folder: Path,
    cluster: AbstractContextManager[None],
    time_budget_s: float | None = None,
    on_trial: Callable[[int], None] = lambda _: None,
    common: Space = MappingProxyType({}),
) -> Searched:
    """Evaluate ``objective(family, parameters, seed=…, report=…, **data)`` in Ray workers.

    The trials are those of ``first``, families with parameters, and then what TPE proposes to maximise the goal, from
    the spaces of these families and the ``common`` one. ``data`` goes to the object store once. ``folder`` keeps a
    record of every trial that has ended; ``cluster`` is entered only where some have not. The time budget is looked at
    between batches. ``on_trial(done)`` is called as trials end. Raises InputError for records of another search,
    UnreachableError when Ray is lost, KeyboardInterrupt where it is stopped.
    """

    proposer = make_proposer(first, seed, BATCH, common)
    batches = Batches(proposer, trials, goal, folder / "trials", time_budget_s, on_trial)
    if batch := batches.propose():
        with cluster:
            try:
                shared = {name: ray.put(value) for name, value in data.items()}
                while batch:
                    _run(batch, batches, objective, seed, shared)
                    batch = batches.propose()
            except RayError as error:
                raise UnreachableError(f"Ray was lost during the search: {str(error).splitlines()[0]}") from error
            except KeyboardInterrupt as stop:
                told = "interrupted during the search; `vigia train --resume` goes on from there"
                raise KeyboardInterrupt(told) from stop
    return Searched(tuple(batches.trials[number] for number in sorted(batches.trials)), trials)


def _run(
    batch: Sequence[Trial],
    batches: Batches,
    objective: Callable[..., Measured],
    seed: int,
    shared: Mapping[str, "ray.ObjectRef[Any]"],
) -> None:
    """Run a batch beside each other, and record each trial when it ends."""
    task = ray.remote(num_cpus=1, max_retries=_RETRIES)(evaluate)
    running = {
        task.remote(objective, trial.family, trial.parameters, seed, batches.earlier(trial), **shared): trial
        for trial in batch
    }
    while running:
        (ended, *_), _ = ray.wait(list(running))
        batches.record(running.pop(ended), _found(ended))


def _found(ended: "ray.ObjectRef[dict[str, Any]]") -> dict[str, Any]:
    try:
        found: dict[str, Any] = ray.get(ended)
    except (WorkerCrashedError, OutOfMemoryError):
        return {"error": f"its worker died, {_RETRIES + 1} times"}
    return found
