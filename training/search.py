"""The Ray Tune door: evaluate trials so that the same seed gives the same table.

Proposals depend on the seed and on earlier batches alone, so a killed search goes on by proposing again from the start:
a trial with a record in the run's folder is not run a second time.
"""

import logging
import shutil
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

from ray import tune
from ray.exceptions import RayError

from features.errors import UnreachableError
from training.batches import BATCH, RECORD, Batches
from training.proposals import make_proposer
from training.space import Parameters, Space
from training.trials import Goal, Measured, Trial
from training.worker import evaluate


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

    def trainable(config: dict[str, Any], **shared: Any) -> dict[str, str]:
        return {RECORD: evaluate(partial(objective, seed=seed, **shared), **config["proposal"])}

    logging.getLogger("ray.tune").setLevel(logging.ERROR)
    proposer = make_proposer(first, seed, BATCH, common)
    batches = Batches(proposer, trials, goal, folder / "trials", time_budget_s, on_trial)
    if batches.propose():
        shutil.rmtree(folder / "tune", ignore_errors=True)
        with cluster:
            tuner = tune.Tuner(
                tune.with_parameters(trainable, **data),
                tune_config=tune.TuneConfig(
                    search_alg=batches, num_samples=trials - len(batches.trials), reuse_actors=True
                ),
                run_config=tune.RunConfig(
                    name="tune",
                    storage_path=str(folder),
                    verbose=0,
                    failure_config=tune.FailureConfig(max_failures=2),  # of workers; objectives return their errors
                ),
            )
            try:
                tuner.fit()
            except (RayError, tune.TuneError, RuntimeError) as error:  # Tune wraps what it did not expect
                if type(error) is RuntimeError and not isinstance(error.__cause__, RayError):
                    raise
                raise UnreachableError(f"Ray was lost during the search: {str(error).splitlines()[0]}") from error
    if len(batches.trials) < trials and not batches.late:
        raise KeyboardInterrupt("interrupted during the search; `vigia train --resume` goes on from there")
    return Searched(tuple(batches.trials[number] for number in sorted(batches.trials)), trials)
