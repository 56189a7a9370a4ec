"""All that determines the rows of one sensor: the state of every record, its label, and the records that never came."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from features.fleet.drift import SENSOR_GAIN, InjectedDrift, ramp
from features.fleet.energy import State, component_energies, make_state
from features.fleet.faults import KINDS, MachineFault, SensorFault, felt_sizes, judge, sensor_faults
from features.fleet.machine import AXES, GAPS, ROWS, Bearing, Machine, make_site, per_axis, stream
from features.fleet.timeline import Timeline, wander

_GAP_DAYS = 10.0  # between two gaps of a sensor, on average
_SCATTER = {"slow": 0.06, "machine": 0.04, "sensor": 0.04, "series": 0.03}  # of log amplitudes, by who shares it


@dataclass(frozen=True)
class SensorRows:
    """n rows at each of three axes.

    state: 3n records, those of r first, then x, then z; label: (3, n) int8 in {1, 0, -1: unknown}; kind: (3, n) index
    into KINDS or -1; present: (n,) False where no row was sent; lost: (n,) True where it came without features; held:
    (n,) row whose features the sensor sent, its own unless it is stuck.
    """

    state: State
    label: NDArray[np.int8]
    kind: NDArray[np.int8]
    present: NDArray[np.bool_]
    lost: NDArray[np.bool_]
    held: NDArray[np.int64]


def make_rows(
    seed: int,
    machine: Machine,
    slot: int,
    timeline: Timeline,
    faults: tuple[MachineFault, ...],
    drift: InjectedDrift | None,
) -> SensorRows:
    """The rows of the machine's sensor ``slot`` (1 to ``machine.sensors``)."""
    hours, running = timeline.hours, timeline.running
    n = len(hours)
    rng = stream(seed, machine.index, slot, ROWS)
    sizes = felt_sizes(faults, slot, hours)
    own = sensor_faults(seed, machine, slot, float(hours[-1]))
    state = _state(seed, machine, slot, timeline, sizes, rng)
    if machine.index == 0 and drift is not None and drift.kind == "bearing":
        renewed = _state(seed, _new_bearing(machine), slot, timeline, sizes, stream(seed, machine.index, slot, ROWS))
        after = per_axis(ramp(drift, "bearing", hours, over_h=0) > 0)
        state = State(**{k: np.where(after, getattr(renewed, k), v) for k, v in state.columns().items()})
    if machine.first_sensor + slot == 1:
        state = _scaled(state, per_axis(1 + (SENSOR_GAIN - 1) * ramp(drift, "gain", hours, over_h=0)))
    label, kind = (np.tile(values, (len(AXES), 1)) for values in judge(sizes, running))
    lost, held = np.zeros(n, bool), np.arange(n)
    for fault in own:
        state = _faulty(state, fault, hours, machine)
        rows = fault.rows(hours)
        judged = rows & running
        if fault.kind == "dropout":
            lost |= rows & (rng.random(n) < fault.amount)
            judged &= lost
        if fault.kind == "stuck" and rows.any():
            held[rows] = max(int(rows.argmax()) - 1, 0)
        for axis in fault.axes:
            label[axis, rows], kind[axis, rows] = -1, KINDS.index(fault.kind)
            label[axis, judged] = 1
    return SensorRows(state, label, kind, _present(seed, machine, slot, timeline), lost, held)


def _state(
    seed: int, machine: Machine, slot: int, timeline: Timeline, sizes: NDArray[np.float64], rng: np.random.Generator
) -> State:
    site = make_site(seed, machine, slot)
    n = len(timeline.hours)
    shared = stream(seed, machine.index, 0, ROWS)
    slow = np.stack([wander(shared, timeline.hours, _SCATTER["slow"], 12.0) for _ in range(2)])
    common = slow + _SCATTER["machine"] * shared.standard_normal((2, n))
    common += _SCATTER["sensor"] * rng.standard_normal((2, n))
    parts = []
    for axis in range(len(AXES)):
        tonal, noisy = common + _SCATTER["series"] * rng.standard_normal((2, n))
        parts.append(
            component_energies(
                machine,
                site,
                axis,
                speed_hz=timeline.speed_hz,
                load=timeline.load,
                temperature_c=timeline.temperature_c,
                sizes=sizes,
                tonal=tonal,
                noisy=noisy,
            )
        )
    energies = np.concatenate(parts, axis=1)
    unclipped = np.full(energies.shape[1], np.inf)
    return make_state(machine, energies, per_axis(timeline.speed_hz), per_axis(timeline.temperature_c), unclipped)


def _new_bearing(machine: Machine) -> Machine:
    """The same machine with another bearing: quieter seat, more friction while it runs in."""
    mixture = machine.mixture * np.array([1, 1, 1, 1, 1, 0.6, 1.8, 1, 1])
    return replace(machine, mixture=mixture, bearing=Bearing(9, 0.22), resonance_hz=machine.resonance_hz * 1.12)


def _scaled(state: State, gain: NDArray[np.float64]) -> State:
    return replace(state, energies=state.energies * gain**2)


def _faulty(state: State, fault: SensorFault, hours: NDArray[np.float64], machine: Machine) -> State:
    """The records of a sensor whose electronics scale or clip them; other faults do not change what it should see."""
    if fault.kind not in ("gain", "clipped"):
        return state
    inside = np.zeros((len(AXES), len(hours)), bool)
    inside[list(fault.axes)] = fault.rows(hours)
    if fault.kind == "gain":
        return _scaled(state, np.where(inside.ravel(), fault.amount, 1.0))
    usual = machine.level_g * np.sqrt(np.square(machine.mixture).sum())
    return replace(state, range_g=np.where(inside.ravel(), fault.amount * usual, state.range_g))


def _present(seed: int, machine: Machine, slot: int, timeline: Timeline) -> NDArray[np.bool_]:
    """(n,) False in gaps of half an hour to five hours, and while a machine stands still whose sensors then sleep."""
    rng = stream(seed, machine.index, slot, GAPS)
    present: NDArray[np.bool_] = timeline.running | np.full(len(timeline.hours), not machine.sleeps)
    begin = 24 * rng.exponential(_GAP_DAYS)
    while begin < timeline.hours[-1]:
        long = 0.5 + 4.5 * rng.random() ** 2
        present &= (timeline.hours < begin) | (timeline.hours >= begin + long)
        begin += long + 24 * rng.exponential(_GAP_DAYS)
    return present
