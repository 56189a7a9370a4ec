"""Changes injected into a simulated fleet from a given day on, so that monitoring has something true to find."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from features.errors import InputError

DRIFTS = {
    "load": "every machine carries 0.3 of its rated load more",
    "bearing": "machine 0 gets a new bearing: other geometry, resonance and noise, no fault",
    "gain": "sensor 0 reads 1.6 times what it should, at all axes",
    "temperature": "the surroundings of all machines warm by 15 °C over four days and stay so",
    "clock": "the clock of sensor 0 stands still for two hours, runs two hours late for ten, then jumps to 1 h ahead",
}
"""What each kind changes; labels stay as they were, since no machine is at fault."""
SENSOR_GAIN = 1.6


@dataclass(frozen=True)
class InjectedDrift:
    """A kind of DRIFTS and the day, from the fleet's start, on which it begins; rows before it keep their bits."""

    kind: str
    day: float

    def __post_init__(self) -> None:
        if self.kind not in DRIFTS:
            raise InputError("drift", f"must be one of {', '.join(DRIFTS)}", self.kind)
        if not self.day >= 0:
            raise InputError("drift day", "must be at least 0", self.day)


def ramp(drift: InjectedDrift | None, kind: str, hours: NDArray[np.float64], *, over_h: float) -> NDArray[np.float64]:
    """(n,) how far the drift has come at each row: 0 before it or for another kind, 1 after ``over_h`` hours."""
    if drift is None or drift.kind != kind:
        return np.zeros_like(hours)
    since = hours - 24 * drift.day
    if over_h <= 0:
        return (since >= 0).astype(np.float64)
    return np.clip(since / over_h, 0.0, 1.0)


def broken_clock(hours: NDArray[np.float64], day: float) -> NDArray[np.float64]:
    """(n,) hours since the start as the broken clock of ``day`` tells them: some twice, some never."""
    since = hours - 24 * day
    told = np.where(since < 0, hours, np.where(since < 2, 24 * day, np.where(since < 12, hours - 2, hours + 1)))
    return np.asarray(told, np.float64)
