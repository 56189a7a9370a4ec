"""What runs in a worker: one trial, and what became of it as text. Imports nothing heavy, since every worker does."""

import json
from collections.abc import Callable, Sequence
from typing import Any

from training.halving import Halving
from training.space import Parameters, StopTrial
from training.trials import Measured


def evaluate(
    objective: Callable[..., Measured], name: str, parameters: Parameters, earlier: Sequence[tuple[int, list[float]]]
) -> str:
    """JSON of the fields of a Trial that a worker knows; Tune would flatten a mapping.

    earlier: losses at each rung of the trials of earlier batches.
    """
    halving = Halving(dict(earlier))
    found: dict[str, Any]
    try:
        measured = objective(name, parameters, report=halving)
        found = {"figures": {**halving.figures, **measured.figures}, "timings": dict(measured.timings)}
    except StopTrial as stop:
        found = {"figures": halving.figures, "excluded": str(stop)}
    except Exception as error:  # a trial may fail in any way; the search goes on without it
        found = {"error": f"{type(error).__name__}: {error}"}
    return json.dumps(found)
