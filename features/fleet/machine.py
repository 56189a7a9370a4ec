"""The machines of the simulated fleet: which sensors sit where, and what each machine is like when it is healthy."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

AXES = ("r", "x", "z")  # radial, radial across, axial
COMPONENTS = ("first", "second", "loose", "mesh", "flow", "structure", "white", "outer", "inner")
"""Sources of vibration whose energies (g²) add up to the rms² of a record; one column order everywhere.

first: shaft order 1; second: orders 2 and 3; loose: half orders 0.5 to 6, phases locked; mesh: teeth or blades with
sidebands; flow: noise below 1 kHz; structure: noise about 2 kHz; white: noise of friction and of the sensor; outer,
inner: ringing after impacts on a damaged race.
"""
_BLOCK_SENSORS, _BLOCK_MACHINES = 10, 4  # each ten sensors sit on four machines: one, two, three and four of them
_HEALTHY = np.array([0.35, 0.22, 0.05, 0.35, 0.50, 0.50, 0.30, 0.0, 0.0])  # median amplitude of each component by level
_SPREAD = np.array([0.30, 0.30, 0.30, 0.40, 0.25, 0.30, 0.25, 0.0, 0.0])  # of its log, from machine to machine
_DIRECTION = np.array(  # share of each component that an axis feels
    [
        [1.0, 0.7, 1.0, 0.9, 1.0, 1.0, 1.0, 1.0, 1.0],
        [0.9, 0.8, 0.7, 0.8, 0.9, 1.0, 1.0, 0.8, 0.8],
        [0.3, 0.8, 0.5, 0.6, 0.7, 0.8, 1.0, 0.5, 0.5],
    ]
)
_MESH_ORDERS = (5, 6, 7, 9, 12, 17, 23, 31)
LAYOUT, PARAMETERS, TIMELINE, FAULTS, ROWS, GAPS, RECORDS, WEATHER, NOISE = range(9)  # purposes of a stream


def stream(seed: int, index: int, slot: int, purpose: int) -> np.random.Generator:
    """The generator of one purpose of one machine (slot 0) or of one of its sensors (slots 1 to 4), and of no other."""
    return np.random.Generator(np.random.SFC64(np.random.SeedSequence([seed, index, slot, purpose])))


@dataclass(frozen=True)
class Bearing:
    """Geometry of a rolling bearing: rolling elements, their diameter by the pitch diameter, contact angle (rad)."""

    elements: int
    diameter_ratio: float
    contact_angle: float = 0.0

    @property
    def outer_order(self) -> float:
        """Impacts per shaft turn of a fault on the outer race (BPFO by shaft frequency): n/2 · (1 - d/D · cos φ).

        Source: Randall, Antoni: Rolling element bearing diagnostics - a tutorial, MSSP 25(2), 2011, equation 1.
        """
        return self.elements / 2 * (1 - self.diameter_ratio * float(np.cos(self.contact_angle)))

    @property
    def inner_order(self) -> float:
        """Impacts per shaft turn of a fault on the inner race (BPFI by shaft frequency): n/2 · (1 + d/D · cos φ)."""
        return self.elements / 2 * (1 + self.diameter_ratio * float(np.cos(self.contact_angle)))


@dataclass(frozen=True)
class Machine:
    """One machine as built: what does not change from row to row.

    speed_hz: of the shaft at full speed; speeds: set points by full speed, one for a motor on the mains; level_g: rms
    of a typical record at rated load; mixture: (9,) amplitudes of COMPONENTS by level; load: usual share of the rated
    load; stops_a_day: chance of a stop on any day; night: hours of the nightly stop, (0, 0) for none; sleeps: its
    sensors send nothing while it stands still; resonance_hz and ring_s: frequency and decay time of the bearing seat.
    """

    index: int
    first_sensor: int
    sensors: int
    speed_hz: float
    speeds: tuple[float, ...]
    level_g: float
    mixture: NDArray[np.float64]
    mesh_order: int
    bearing: Bearing
    resonance_hz: float
    ring_s: float
    load: float
    daily: float
    stops_a_day: float
    night: tuple[float, float]
    sleeps: bool

    @property
    def name(self) -> str:
        """The independence group of its series."""
        return f"machine_{self.index:05d}"


@dataclass(frozen=True)
class Site:
    """Where a sensor sits: (3, 9) amplitude of each component at each axis by the machine's, (3,) sensor noise in g."""

    gains: NDArray[np.float64]
    floor_g: NDArray[np.float64]


def machines_of(sensors: int) -> range:
    """Indices of the machines that carry sensors 0 to ``sensors`` - 1; the last may carry more."""
    blocks = -(-sensors // _BLOCK_SENSORS)
    return range(blocks * _BLOCK_MACHINES)


def make_machine(seed: int, index: int) -> Machine:
    """Machine ``index`` of the fleet of a seed: the same in a fleet of ten sensors and of a hundred thousand."""
    block, place = divmod(index, _BLOCK_MACHINES)
    counts = stream(seed, block, 0, LAYOUT).permutation(_BLOCK_MACHINES) + 1
    rng = stream(seed, index, 0, PARAMETERS)
    variable, shifts = rng.random() < 0.4, rng.random() < 0.3
    off = rng.uniform(20.5, 23.0)
    return Machine(
        index=index,
        first_sensor=block * _BLOCK_SENSORS + int(counts[:place].sum()),
        sensors=int(counts[place]),
        speed_hz=float(rng.uniform(24, 49) if variable else rng.choice([16.6, 24.9, 24.9, 49.8])),
        speeds=tuple(np.sort(rng.uniform(0.7, 1.0, 3)).tolist()) if variable else (1.0,),
        level_g=float(np.exp(rng.normal(-1.0, 0.45))),
        mixture=_HEALTHY * np.exp(_SPREAD * rng.standard_normal(len(COMPONENTS))),
        mesh_order=int(rng.choice(_MESH_ORDERS)),
        bearing=Bearing(int(rng.integers(7, 13)), float(rng.uniform(0.18, 0.28)), float(rng.uniform(0, 0.35))),
        resonance_hz=float(rng.uniform(3_600, 6_400)),
        ring_s=float(rng.uniform(0.0007, 0.0012)),
        load=float(rng.uniform(0.55, 0.85)),
        daily=float(rng.uniform(0.03, 0.15)),
        stops_a_day=float(rng.uniform(0.02, 0.08)),
        night=(off, float(rng.uniform(4.5, 6.5))) if shifts else (0.0, 0.0),
        sleeps=bool(rng.random() < 0.3),
    )


def make_site(seed: int, machine: Machine, slot: int) -> Site:
    """The place of the machine's sensor ``slot`` (1 to ``machine.sensors``)."""
    rng = stream(seed, machine.index, slot, PARAMETERS)
    mount = rng.normal(0, 0.2) + rng.normal(0, 0.12, (len(AXES), 1))
    transfer = rng.normal(0, 0.25, (len(AXES), len(COMPONENTS)))
    gains = _DIRECTION * np.exp(mount + transfer)
    return Site(gains, rng.uniform(0.004, 0.012, len(AXES)))


def per_axis(values: NDArray[Any]) -> NDArray[Any]:
    """(n,) values of a sensor -> (3n,): those of r, then of x, then of z."""
    return np.tile(values, len(AXES))
