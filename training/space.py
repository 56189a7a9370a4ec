"""Search spaces as values; training.search turns them into Optuna's suggestions."""

from collections.abc import Mapping
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
