"""The valid rows of a table cut into the windows of a training run."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from features.errors import NotEnoughDataError
from features.history import Scorable, scorable
from features.rows import Rows
from features.split import Split, Window, assign
from flows.config.model import microseconds
from flows.config.train import TrainConfig
from flows.steps.fitting import declared_history
from serving.bundle import make_history
from serving.manifest import PastRows


@dataclass(frozen=True)
class LeftOut:
    """Valid rows that are neither fitted on nor scored: without complete history, and of machines at rest."""

    without_history: int
    at_rest: int


@dataclass(frozen=True)
class Cut:
    """Rows by window, each with at least one; history: what a bundle of them declares."""

    windows: Mapping[Window, Scorable]
    history: PastRows | None
    left_out: LeftOut


def cut_windows(rows: Rows, config: TrainConfig) -> Cut:
    """Cut by ``split``, keep what runs and has complete history.

    Raises NotEnoughDataError for a window without rows, InputError for a history that the table cannot give.
    """
    assigned = assign(rows, _split(config))
    history = declared_history(rows.take(assigned == Window.REFERENCE), config)
    complete = scorable(rows, make_history(history))
    known = complete.take(complete.rows.running)
    left_out = LeftOut(len(rows) - len(complete), len(complete) - len(known))
    return Cut(_windows(known, assigned[known.at]), history, left_out)


def _split(config: TrainConfig) -> Split:
    split = config.split
    shares = (split.reference, split.selection, split.calibration, split.test)
    return Split(shares, microseconds(split.gap), split.between_series, config.seed)


def _windows(known: Scorable, assigned: NDArray[np.int8]) -> dict[Window, Scorable]:
    windows: dict[Window, Scorable] = {
        window: known.take(assigned == window) for window in Window if window != Window.DROPPED
    }
    for window, found in windows.items():
        if not len(found):
            rule = "needs a row of a running machine with complete history"
            raise NotEnoughDataError(f"window {window.name.lower()!r}", rule, 0)
    return windows
