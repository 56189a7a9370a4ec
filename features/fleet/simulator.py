"""The simulated fleet: machines with speed, load, stops, drift and faults, as labelled rows of their sensors.

Nothing here was measured. Ten sensors sit on four machines; a sensor is three series, one row each five minutes. Every
draw is keyed by seed, machine and sensor, so a machine is the same in a fleet of ten sensors and of a hundred thousand.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from features.fleet.drift import InjectedDrift, broken_clock
from features.fleet.faults import KINDS, machine_faults
from features.fleet.machine import AXES, RECORDS, Machine, machines_of, make_machine, stream
from features.fleet.response import OUTPUTS, draw_features
from features.fleet.sensor import SensorRows, make_rows
from features.fleet.timeline import START, Timeline, make_timeline, row_hours
from features.fleet.waveform import RATE_HZ, simulate_records
from features.vibration.record import FEATURE_NAMES, record_features

MODEL_VERSION = 3
"""Raised with every change of a simulated bit; part of the name of a cached fleet."""
FEATURES = FEATURE_NAMES
SCHEMA = pa.schema(
    [
        pa.field("series", pa.string()),
        pa.field("timestamp", pa.timestamp("us", tz="UTC")),
        pa.field("machine", pa.string()),
        pa.field("speed_hz", pa.float32()),
        pa.field("load", pa.float32()),
        *[pa.field(name, pa.float32()) for name in FEATURES],
        pa.field("label", pa.int8()),
        pa.field("fault", pa.string()),
    ]
)


@dataclass(frozen=True)
class Fleet:
    """Number of sensors (three series each), days of history, seed of every draw, and a drift injected into it.

    More sensors leave the first ones as they are; another number of days is another history of the same machines.
    """

    sensors: int = 30
    days: int = 10
    seed: int = 7
    drift: InjectedDrift | None = None


def injected_drift(fleet: Fleet, kind: str, day: float | None = None) -> Fleet:
    """The fleet with a change of ``drift.DRIFTS`` from ``day`` on, by default from 80 % of its days, where the test
    window of the default split begins. Raises InputError for an unknown kind."""
    return replace(fleet, drift=InjectedDrift(kind, 0.8 * fleet.days if day is None else day))


def simulate_fleet(fleet: Fleet, *, waveforms: bool = False) -> Iterator[pa.RecordBatch]:
    """Every series of the fleet, one batch a series in SCHEMA, in order of sensor and axis."""
    for index in machines_of(fleet.sensors):
        yield from simulate_machine(fleet, index, waveforms=waveforms)


def simulate_machine(fleet: Fleet, index: int, *, waveforms: bool = False) -> Iterator[pa.RecordBatch]:
    """The series of the machine's sensors that belong to the fleet; the same bits whatever else is read.

    waveforms: make the raw record of every row and compute its features, instead of drawing the features.
    """
    machine = make_machine(fleet.seed, index)
    slots = range(1, min(machine.sensors, fleet.sensors - machine.first_sensor) + 1)
    if not slots:
        return
    hours = row_hours(fleet.days)
    faults = machine_faults(fleet.seed, machine, float(hours[-1]))
    timeline = make_timeline(fleet.seed, machine, hours, [fault.end_h for fault in faults], fleet.drift)
    for slot in slots:
        rows = make_rows(fleet.seed, machine, slot, timeline, faults, fleet.drift)
        values = _features(fleet.seed, machine, slot, rows, waveforms)
        sensor = machine.first_sensor + slot - 1
        told = hours
        if sensor == 0 and fleet.drift is not None and fleet.drift.kind == "clock":
            told = broken_clock(hours, fleet.drift.day)
        times = START + np.round(told * 3_600_000_000).astype("timedelta64[us]")
        for axis, name in enumerate(AXES):
            yield _batch(f"sensor_{sensor:05d}_{name}", machine, times, timeline, values[axis], rows, axis)


def _features(seed: int, machine: Machine, slot: int, rows: SensorRows, waveforms: bool) -> NDArray[np.float32]:
    """(3, 10, n) features as the sensor sent them."""
    n = len(rows.present)
    if waveforms:
        by_record = np.arange(3 * n).reshape(3, n).T.ravel()
        records = simulate_records(rows.state.take(by_record), [seed, machine.index, slot], axes=len(AXES))
        drawn = np.empty((len(FEATURES), 3 * n))
        drawn[:, by_record] = record_features(records, RATE_HZ).T
    else:
        rng = stream(seed, machine.index, slot, RECORDS)
        drawn = draw_features(rows.state, rng.standard_normal((len(OUTPUTS), 3 * n), dtype=np.float32))
    values = np.moveaxis(drawn.astype(np.float32).reshape(len(FEATURES), len(AXES), n), 1, 0)[:, :, rows.held]
    values[:, :, rows.lost] = np.nan
    return values


def _batch(
    series: str,
    machine: Machine,
    times: NDArray[np.datetime64],
    timeline: Timeline,
    values: NDArray[np.float32],
    rows: SensorRows,
    axis: int,
) -> pa.RecordBatch:
    kept = np.flatnonzero(rows.present)
    label, kind = rows.label[axis, kept], rows.kind[axis, kept]
    names = pa.DictionaryArray.from_arrays(pa.array(kind, mask=(kind < 0) | (label == 0)), pa.array(KINDS))
    return pa.record_batch(
        [
            pa.repeat(series, len(kept)),
            pa.array(times[kept], SCHEMA.field("timestamp").type),
            pa.repeat(machine.name, len(kept)),
            pa.array(timeline.speed_hz[kept].astype(np.float32)),
            pa.array(timeline.load[kept].astype(np.float32)),
            *[pa.array(column[kept]) for column in values],
            pa.array(label, mask=label < 0),
            names.cast(pa.string()),
        ],
        schema=SCHEMA,
    )
