"""What runs in a worker: one trial, and what became of it. Imports nothing heavy, since every worker does."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from training.halving import Halving
from training.space import Parameters, StopTrial
from training.trials import Measured

Rungs = Mapping[int, Sequence[float]]
"""Losses at each rung of the trials of earlier batches."""


def evaluate(
    objective: Callable[..., Measured], name: str, parameters: Parameters, seed: int, earlier: Rungs, **data: Any
) -> dict[str, Any]:
    """The fields of a Trial that only its run can tell. Raises nothing that the objective raises."""
    halving = Halving(earlier)
    try:
        measured = objective(name, parameters, seed=seed, report=halving, **data)
    except StopTrial as stop:
        return {"figures": halving.figures, "excluded": str(stop)}
    except Exception as error:  # a trial may fail in any way; the search goes on without it
        return {"error": f"{type(error).__name__}: {error}"}
    return {"figures": {**halving.figures, **measured.figures}, "timings": dict(measured.timings)}
