"""What a search and a fit say to each other: spaces as values, parameters, and reports while a fit runs."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

Parameters: TypeAlias = Mapping[str, float]
"""Hyperparameters by name; whole numbers and truth values are int and bool."""


@dataclass(frozen=True)
class Whole:
    """An integer from low to high, both included."""

    low: int
    high: int
    log: bool = False


@dataclass(frozen=True)
class Real:
    """A float from low to high."""

    low: float
    high: float
    log: bool = False


@dataclass(frozen=True)
class Choice:
    """One of a few values."""

    options: tuple[float, ...]


Space: TypeAlias = Mapping[str, Whole | Real | Choice]

PER_SERIES = "per_series"
"""Parameter of every family where there are baselines: whether rows are seen from those of their series."""

Report: TypeAlias = Callable[[int, float], None]
"""``report(step, loss)`` after each step of a fit, from 1; a lower loss is better. Raises StopTrial to end the fit."""


class StopTrial(Exception):
    """Raised by a report when the trial is not worth going on; a fit lets it pass."""


def no_report(_step: int, _loss: float) -> None:
    """For fits that nobody watches."""
