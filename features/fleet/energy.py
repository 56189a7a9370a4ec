"""From the state of a machine to the energy of each component of a record: what both levels of the simulator share."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from features.fleet.machine import COMPONENTS, Machine, Site

# Amplitude that a fault of size 1 adds to each component, by the level of the machine; one row a machine fault.
_ADDED = np.array(
    [
        [2.2, 0.15, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0],  # imbalance
        [0.5, 1.8, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0],  # misalignment
        [0.3, 0.2, 1.7, 0.0, 0.3, 0.3, 0.3, 0.0, 0.0],  # looseness
        [0.0, 0.0, 0.0, 0.0, 0.0, 0.1, 0.25, 1.3, 0.0],  # bearing_outer
        [0.0, 0.0, 0.0, 0.0, 0.0, 0.1, 0.25, 0.0, 1.3],  # bearing_inner
    ]
)
_AXIAL = np.ones((3, 5, 1))  # what a fault adds at an axis beyond the axis's usual share: misalignment pushes axially
_AXIAL[2, 0], _AXIAL[2, 1] = 0.6, 1.8
_SPEED_POWER = np.array([4, 4, 4, 3, 3, 2.5, 1, 3, 3])[:, None]  # of energy by relative speed; an imbalance pulls as f²
_LOAD_RATE = np.array([0.1, 0.6, 0.2, 1.6, 1.0, 0.7, 0.2, 0.6, 0.6])[:, None]  # of log energy by share of rated load
_WARM_RATE = np.array([0.0, 0.012, 0.01, 0.008, 0.015, 0.020, 0.020, 0.01, 0.01])[:, None]  # of log energy by °C
_BACKGROUND_G = 0.012  # of neighbouring machines, felt while this one stands still
Array = NDArray[np.float64]
_TONES = np.isin(COMPONENTS, ("first", "second", "loose", "mesh"))[:, None]


@dataclass(frozen=True)
class State:
    """What determines one record, for n records: (9, n) energies of COMPONENTS in g²; (n,) shaft speed in Hz; (n,)
    orders of mesh, outer and inner race; (n,) frequency in Hz and decay in s of the ringing; (n,) range in g beyond
    which the sensor clips, inf for none."""

    energies: NDArray[np.float64]
    speed_hz: NDArray[np.float64]
    mesh_order: NDArray[np.float64]
    outer_order: NDArray[np.float64]
    inner_order: NDArray[np.float64]
    resonance_hz: NDArray[np.float64]
    ring_s: NDArray[np.float64]
    range_g: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.speed_hz)

    def take(self, index: NDArray[Any]) -> "State":
        """The records at ``index``."""
        return State(**{name: values[..., index] for name, values in self.columns().items()})

    def columns(self) -> dict[str, Array]:
        """The fields by name."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    @cached_property
    def shares(self) -> Array:
        """(9, n) share of each component in the energy."""
        return np.asarray(self.energies / self.energies.sum(axis=0))

    @cached_property
    def tone_share(self) -> Array:
        """(n,) share of the tones in the energy."""
        return np.asarray(self.shares[_TONES[:, 0]].sum(axis=0))


def component_energies(
    machine: Machine,
    site: Site,
    axis: int,
    *,
    speed_hz: NDArray[np.float64],
    load: NDArray[np.float64],
    temperature_c: NDArray[np.float64],
    sizes: NDArray[np.float64],
    tonal: NDArray[np.float64],
    noisy: NDArray[np.float64],
) -> NDArray[np.float64]:
    """(9, n) energies in g² of one axis of a sensor at n rows.

    sizes: (5, n) machine faults as felt at the sensor; tonal, noisy: (n,) deviations of the log amplitude of tones and
    of noise from one record to the next. While the shaft stands still only the background and the sensor's noise stay.
    """
    speed = speed_hz / machine.speed_hz
    added = np.square(_ADDED * _AXIAL[axis])
    grown = np.einsum("fk,fn->kn", added, np.square(sizes)) if sizes.any() else 0.0
    energies = np.square(machine.mixture)[:, None] + grown + np.zeros(len(speed))
    energies *= np.square(machine.level_g * site.gains[axis])[:, None]
    energies *= np.exp(
        _LOAD_RATE * (load - 0.7) + _WARM_RATE * (temperature_c - 18) + _SPEED_POWER * np.log(np.maximum(speed, 1e-9))
    )
    energies *= np.where(_TONES, np.exp(2 * tonal), np.exp(2 * noisy))
    energies[:, speed_hz <= 0] = 0.0
    background = np.square(_BACKGROUND_G * np.exp(noisy * 2))
    energies[COMPONENTS.index("flow")] += 0.7 * background
    energies[COMPONENTS.index("structure")] += 0.3 * background
    energies[COMPONENTS.index("white")] += site.floor_g[axis] ** 2
    return np.asarray(energies)


def make_state(
    machine: Machine,
    energies: NDArray[np.float64],
    speed_hz: NDArray[np.float64],
    temperature_c: NDArray[np.float64],
    range_g: NDArray[np.float64],
) -> State:
    """The records of a machine; a warm seat rings 0.1 % lower by °C."""
    n = len(speed_hz)
    return State(
        energies=energies,
        speed_hz=speed_hz,
        mesh_order=np.full(n, float(machine.mesh_order)),
        outer_order=np.full(n, machine.bearing.outer_order),
        inner_order=np.full(n, machine.bearing.inner_order),
        resonance_hz=machine.resonance_hz * (1 - 0.001 * (temperature_c - 18)),
        ring_s=np.full(n, machine.ring_s),
        range_g=range_g,
    )


def weighted(terms: Sequence[Any], constants: Any) -> Array:
    """Σ constants · terms: (n,) for one row of constants, (k, n) for k of them. Not BLAS, whose order of adding may
    change with threads: a fleet has the same bits on any number of cores."""
    rows = np.asarray(constants)
    total = rows[..., 0, None] * terms[0]
    for column in range(1, len(terms)):
        total += rows[..., column, None] * terms[column]
    return np.asarray(total, np.float64)
