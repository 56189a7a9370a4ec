"""Faults of machines and of sensors: when they begin, how they grow, where they are felt, what an expert labels."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from features.fleet.machine import AXES, FAULTS, Machine, stream

MACHINE_FAULTS = ("imbalance", "misalignment", "looseness", "bearing_outer", "bearing_inner")
SENSOR_FAULTS = ("stuck", "clipped", "dropout", "gain")
KINDS = MACHINE_FAULTS + SENSOR_FAULTS
LABELLED_FROM = 0.4
"""Size of a machine fault, as felt at a sensor, from which an expert calls it one; below, its rows are unknown."""
_GROWTH = {"imbalance": 1.0, "misalignment": 1.0, "looseness": 1.5, "bearing_outer": 2.0, "bearing_inner": 2.0}
_FELT_FROM = {"imbalance": 0.6, "misalignment": 0.5, "looseness": 0.3, "bearing_outer": 0.25, "bearing_inner": 0.25}
_MACHINE_DAYS, _SENSOR_DAYS = 5.0, 20.0  # between the repair of one fault and the begin of the next, on average


@dataclass(frozen=True)
class MachineFault:
    """One fault of a machine: grows from ``begin_h`` for ``growth_h`` hours to ``size`` (1: severe), is repaired
    ``held_h`` later; ``felt``: its share at each of the machine's sensors, 1 at the nearest."""

    kind: str
    begin_h: float
    growth_h: float
    held_h: float
    size: float
    felt: tuple[float, ...]

    @property
    def end_h(self) -> float:
        """Hour of the repair."""
        return self.begin_h + self.growth_h + self.held_h

    def grown(self, hours: NDArray[np.float64]) -> NDArray[np.float64]:
        """(n,) size at the machine at each row; 0 outside the fault."""
        age = hours - self.begin_h
        inside = (age >= 0) & (hours < self.end_h)
        return np.where(inside, self.size * np.clip(age / self.growth_h, 0, 1) ** _GROWTH[self.kind], 0.0)


@dataclass(frozen=True)
class SensorFault:
    """One fault of a sensor at some of its axes, at once whole.

    amount: gain factor (gain), range by the level of the series (clipped), share of records lost (dropout).
    """

    kind: str
    begin_h: float
    held_h: float
    amount: float
    axes: tuple[int, ...]

    def rows(self, hours: NDArray[np.float64]) -> NDArray[np.bool_]:
        """(n,) True while it lasts."""
        return (hours >= self.begin_h) & (hours < self.begin_h + self.held_h)


def machine_faults(seed: int, machine: Machine, until_h: float) -> tuple[MachineFault, ...]:
    """The faults of a machine that begin before ``until_h``, in order; the kinds take turns from machine to machine."""
    rng = stream(seed, machine.index, 0, FAULTS)
    faults: list[MachineFault] = []
    begin = 24 * _MACHINE_DAYS * rng.random()
    while begin < until_h:
        kind = MACHINE_FAULTS[(seed + machine.index + 2 * len(faults)) % len(MACHINE_FAULTS)]
        growth_h, held_h, size = rng.uniform(4, 12), rng.uniform(2, 7), rng.uniform(0.65, 1.15)
        felt = rng.uniform(_FELT_FROM[kind], 0.9, machine.sensors)
        felt[rng.integers(machine.sensors)] = 1.0
        faults.append(MachineFault(kind, begin, growth_h, held_h, size, tuple(felt.tolist())))
        begin = faults[-1].end_h + 24 * _MACHINE_DAYS * rng.uniform(0.4, 1.6)
    return tuple(faults)


def sensor_faults(seed: int, machine: Machine, slot: int, until_h: float) -> tuple[SensorFault, ...]:
    """The faults of the machine's sensor ``slot`` that begin before ``until_h``, in order; the kinds take turns."""
    rng = stream(seed, machine.index, slot, FAULTS)
    faults: list[SensorFault] = []
    begin = 24 * _SENSOR_DAYS * rng.random()
    while begin < until_h:
        kind = SENSOR_FAULTS[(seed + machine.first_sensor + slot + len(faults)) % len(SENSOR_FAULTS)]
        held_h, amount, axis = rng.uniform(2, 10), _amount(kind, rng), int(rng.integers(len(AXES)))
        axes = (axis,) if kind in ("gain", "clipped", "stuck") else tuple(range(len(AXES)))
        faults.append(SensorFault(kind, begin, held_h, amount, axes))
        begin += held_h + 24 * _SENSOR_DAYS * rng.uniform(0.4, 1.6)
    return tuple(faults)


def _amount(kind: str, rng: np.random.Generator) -> float:
    u, up = rng.random(), rng.random() < 0.5
    if kind == "gain":
        return 1.6 + 0.9 * u if up else 0.35 + 0.3 * u
    return 0.5 + 0.5 * u if kind == "clipped" else 0.4 + 0.5 * u


def felt_sizes(faults: Sequence[MachineFault], slot: int, hours: NDArray[np.float64]) -> NDArray[np.float64]:
    """(5, n) size of each kind of MACHINE_FAULTS as felt at sensor ``slot`` (1 to 4) of the machine."""
    sizes = np.zeros((len(MACHINE_FAULTS), len(hours)))
    for fault in faults:
        sizes[MACHINE_FAULTS.index(fault.kind)] += fault.felt[slot - 1] * fault.grown(hours)
    return sizes


def judge(sizes: NDArray[np.float64], running: NDArray[np.bool_]) -> tuple[NDArray[np.int8], NDArray[np.int8]]:
    """Labels (n,) in {1, 0, -1: unknown} and kinds (n,), an index into KINDS or -1, from (5, n) felt sizes.

    A fault below LABELLED_FROM, or in a machine that stands still, leaves its rows unknown, never normal.
    """
    largest = sizes.max(axis=0)
    kind = np.where(largest > 0, sizes.argmax(axis=0), -1).astype(np.int8)
    label = np.where(largest == 0, 0, np.where((largest >= LABELLED_FROM) & running, 1, -1)).astype(np.int8)
    return label, kind
