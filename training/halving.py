"""Early stops that repeat: a trial is held against the trials of earlier batches, never against those beside it.

The rungs and the rule are those of asynchronous successive halving (Li et al.: A System for Massively Parallel
Hyperparameter Tuning, MLSys 2020). Its peers are whoever got there first, which depends on timing; ours are not.
"""

import math
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from training.space import StopTrial
from training.trials import Trial

FACTOR = 3
FIRST_RUNG = 3
_FIGURE = "loss_at_"


class Halving:
    """The report of one trial (training.space.Report): raises StopTrial at a rung where its loss is not among the best
    third of those of earlier trials, once there are three of them, or where its loss is no longer finite."""

    def __init__(self, rungs: Mapping[int, Sequence[float]]) -> None:
        self._rungs = rungs
        self.figures: dict[str, float] = {}

    def __call__(self, step: int, loss: float) -> None:
        """Hear the loss after a step, from 1."""
        if not math.isfinite(loss):
            raise StopTrial(f"stopped at step {step}: its loss is {loss}")
        if not _is_rung(step):
            return
        self.figures[f"{_FIGURE}{step}"] = loss
        earlier = self._rungs.get(step, ())
        if len(earlier) >= FACTOR and loss > np.quantile(earlier, 1 / FACTOR):
            rule = f"not among the best {1 / FACTOR:.0%} of the {len(earlier)} earlier trials"
            raise StopTrial(f"stopped at step {step}: its loss of {loss:.4g} is {rule}")


def rungs(trials: Iterable[Trial], family: str) -> dict[int, list[float]]:
    """Losses at each rung of the trials of one family, in their order."""
    found: dict[int, list[float]] = {}
    for trial in trials:
        for name, value in trial.figures.items() if trial.family == family else ():
            if name.startswith(_FIGURE):
                found.setdefault(int(name.removeprefix(_FIGURE)), []).append(value)
    return found


def _is_rung(step: int) -> bool:
    rung = FIRST_RUNG
    while rung < step:
        rung *= FACTOR
    return rung == step
