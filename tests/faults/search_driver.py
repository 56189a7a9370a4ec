"""`python -m tests.faults.search_driver FOLDER RAY_FOLDER`: a small search, to be killed and resumed."""

import math
import random
import sys
import time
from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from flows.adapters.local_ray import running_ray
from flows.adapters.registry import Registry
from training.batches import BATCH, Batches
from training.detectors.registry import family
from training.proposals import make_proposer
from training.search import Searched, search
from training.space import Report
from training.trials import Goal, Measured, Trial
from training.worker import evaluate

FIRST = tuple((name, family(name).defaults) for name in ("isolation_forest", "autoencoder"))
GOAL = Goal("quality")
SEED, TRIALS = 7, 8
EXPERIMENT = "faults"


def objective(name: str, parameters: Mapping[str, float], *, report: Report, longest_s: float, **_: Any) -> Measured:
    """A figure that depends on every parameter, after a random while; some trials fail, some stop early."""
    time.sleep(random.SystemRandom().uniform(0, longest_s))
    if name == "autoencoder":
        report(3, parameters["learning_rate"])
    if parameters.get("max_samples") == 64:
        raise ValueError("a bad trial")
    return Measured({"quality": math.fsum(math.cos(float(value)) ** 2 for value in parameters.values())})


def table(folder: Path) -> list[Trial]:
    """What the search must come to, one trial after another, without Ray."""
    found = Batches(make_proposer(FIRST, SEED, BATCH), TRIALS, GOAL, folder, None, lambda _: None)
    while batch := found.propose():
        for trial in batch:
            earlier = found.earlier(trial)
            found.record(trial, evaluate(objective, trial.family, trial.parameters, SEED, earlier, longest_s=0.0))
    return [found.trials[number] for number in range(TRIALS)]


def run(folder: Path, cluster: AbstractContextManager[None]) -> Searched:
    """The search in Ray."""
    data = {"longest_s": 0.4}
    return search(objective, data, first=FIRST, trials=TRIALS, goal=GOAL, seed=SEED, folder=folder, cluster=cluster)


def open_registry(folder: Path) -> Registry:
    """The registry beside the run."""
    return Registry(uri(folder), folder.parent / "artifacts")


def uri(folder: Path) -> str:
    """Where it is."""
    return f"sqlite:///{folder.parent / 'mlflow.db'}"


def main() -> None:
    """Search, then log the trials."""
    folder, ray = Path(sys.argv[1]), Path(sys.argv[2])
    registry = open_registry(folder)
    with registry.run(EXPERIMENT, folder.name, {"seed": SEED}) as run_id:
        registry.log_trials(run_id, run(folder, running_ray(ray)).trials)


if __name__ == "__main__":
    main()
