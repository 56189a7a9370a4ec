"""Scales: where a value lies on an axis of 100 units, and the round values to write beside it."""

import math
from dataclasses import dataclass
from typing import Literal

from evaluation.pages.blocks import Label
from evaluation.pages.figures import figure

_STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)


@dataclass(frozen=True)
class Axis:
    """From ``low`` to ``high`` in 100 units; values outside lie on its ends. A log axis needs 0 < low."""

    low: float
    high: float
    scale: Literal["linear", "log"] = "linear"

    def place(self, value: float) -> float:
        """0 for low, 100 for high."""
        inside = min(max(value, self.low), self.high)
        if not self.low < self.high:
            return 50.0
        if self.scale == "log":
            share = math.log(inside / self.low) / math.log(self.high / self.low)
        else:
            share = (inside - self.low) / (self.high - self.low)
        return 100 * min(share, 1.0)

    def labels(self, count: int = 5) -> tuple[Label, ...]:
        """About so many round values of the axis."""
        ticks = _powers(self.low, self.high, count) if self.scale == "log" else _round(self.low, self.high, count)
        return tuple(Label(self.place(tick), figure(tick)) for tick in ticks)


def _round(low: float, high: float, count: int) -> list[float]:
    if not low < high:
        return [low]
    rough = (high - low) / max(count, 1)
    power = 10 ** math.floor(math.log10(rough))
    step = next(power * step for step in _STEPS if power * step >= rough * (1 - 1e-9))
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    return [round(k * step, 12) for k in range(first, last + 1)]


def _powers(low: float, high: float, count: int) -> list[float]:
    """Powers of ten, with 2 and 5 times them where those alone would be few."""
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    for times in ((1.0, 2.0, 5.0), (1.0, 3.0), (1.0,)):
        found = [t * 10.0**k for k in range(first, last + 1) for t in times if low <= t * 10.0**k <= high]
        if len(found) <= count + 1:
            break
    every = max(1, -(-len(found) // (count + 1)))
    return found[::every] or [low, high]
