"""What a machine does over time: speed, load, stops and temperature at each row, from daily cycles to single stops."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

from features.fleet.drift import InjectedDrift, ramp
from features.fleet.machine import TIMELINE, WEATHER, Machine, stream

PERIOD_S = 300
START = np.datetime64("2026-01-05T00:00:00", "us")  # a Monday
SLIP = 0.02  # share of its speed that a motor on the mains loses from no load to the rated load


@dataclass(frozen=True)
class Timeline:
    """State of one machine at n rows: hours since START; shaft speed (Hz, 0 while it stands still); share of the
    rated load (0 while it stands still); °C of its surroundings."""

    hours: NDArray[np.float64]
    speed_hz: NDArray[np.float64]
    load: NDArray[np.float64]
    temperature_c: NDArray[np.float64]

    @property
    def running(self) -> NDArray[np.bool_]:
        """(n,) True while the shaft turns."""
        return self.speed_hz > 0


def row_hours(days: int) -> NDArray[np.float64]:
    """(n,) hours since START of every row of ``days`` days."""
    return np.arange(days * 86_400 // PERIOD_S, dtype=np.float64) * (PERIOD_S / 3600)


def make_timeline(
    seed: int, machine: Machine, hours: NDArray[np.float64], repairs: Sequence[float], drift: InjectedDrift | None
) -> Timeline:
    """The machine's state at each row; ``repairs``: hours at which it stops for a repair."""
    rng = stream(seed, machine.index, 0, TIMELINE)
    stopped = _stopped(rng, machine, hours)
    for begin in repairs:
        stopped |= (hours >= begin) & (hours < begin + 1.5)
    weekend = (hours // 24) % 7 >= 5
    daily = machine.daily * np.sin(2 * np.pi * (hours - 8.5) / 24)
    product = _steps(rng, hours, (-0.06, 0.0, 0.06), 9.0)
    load = machine.load + daily - 0.06 * weekend + product + wander(rng, hours, 0.05, 8.0)
    load += 0.3 * ramp(drift, "load", hours, over_h=0)
    load = np.clip(load, 0.15, 1.2)
    if len(machine.speeds) > 1:
        speed = machine.speed_hz * _steps(rng, hours, machine.speeds, 7.0)
    else:
        speed = machine.speed_hz * (1 - SLIP * load)
    speed = speed * (1 + rng.normal(0, 0.001, len(hours)))
    starting = ~stopped & np.r_[False, stopped[:-1]]
    speed[starting] *= 0.75  # still running up when the record was taken
    temperature = _weather(seed, hours) + 15 * ramp(drift, "temperature", hours, over_h=96)
    return Timeline(hours, np.where(stopped, 0.0, speed), np.where(stopped, 0.0, load), temperature)


def _stopped(rng: np.random.Generator, machine: Machine, hours: NDArray[np.float64]) -> NDArray[np.bool_]:
    days = int(np.ceil((hours[-1] + 1) / 24)) + 1
    draws = rng.random((days, 3))
    stopped = np.zeros(len(hours), bool)
    for day, (chance, when, long) in enumerate(draws):
        if chance < machine.stops_a_day:
            begin = 24 * day + 24 * when
            stopped |= (hours >= begin) & (hours < begin + 1 + 7 * long**2)
        if machine.night[1]:
            begin = 24 * (day - 1) + machine.night[0] + 0.5 * when
            stopped |= (hours >= begin) & (hours < begin + machine.night[1] + 0.5 * long)
    return stopped


def _weather(seed: int, hours: NDArray[np.float64]) -> NDArray[np.float64]:
    """°C around all machines of the fleet: day and night, weather over days, the season over weeks."""
    rng = stream(seed, 0, 0, WEATHER)
    season = rng.uniform(-2, 2) + 5 * np.sin(2 * np.pi * (hours / (24 * 60) + rng.random()))
    return np.asarray(18 + season + 3 * np.sin(2 * np.pi * (hours - 9) / 24) + wander(rng, hours, 1.2, 30.0))


def wander(rng: np.random.Generator, hours: NDArray[np.float64], sd: float, memory_h: float) -> NDArray[np.float64]:
    """First-order autoregression of the given stationary deviation and correlation time, drawn hourly."""
    keep = float(np.exp(-1 / memory_h))
    pushes = rng.normal(0, sd * np.sqrt(1 - keep**2), int(hours[-1]) + 2)
    pushes[0] = rng.normal(0, sd)
    levels = list(accumulate(pushes.tolist(), lambda level, push: keep * level + push))
    return np.asarray(np.interp(hours, np.arange(len(levels)), levels), np.float64)


def _steps(
    rng: np.random.Generator, hours: NDArray[np.float64], choices: Sequence[float], mean_h: float
) -> NDArray[np.float64]:
    """One of ``choices``, chosen anew after ``mean_h`` hours on average."""
    whole = int(hours[-1]) + 1
    changes = np.r_[True, rng.random(whole) < 1 / mean_h]
    chosen = rng.integers(len(choices), size=whole + 1)
    last = np.maximum.accumulate(np.where(changes, np.arange(whole + 1), 0))
    return np.asarray(choices, np.float64)[chosen[last[hours.astype(np.int64)]]]
