"""A small fleet of vibration sensors at feature level: three axes each, one row each 5 minutes, labelled faults.

The ten features are those of a record (waveform statistics and spectrum); here they are drawn directly from a model of
level, impulsiveness and spectrum that follows the machine's load, not computed from waveforms.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

PERIOD_S = 300
START = np.datetime64("2026-01-05T00:00:00", "us")
AXES = ("r", "x", "z")
FEATURES = (
    "rms", "peak", "crest_factor", "kurtosis", "skewness", "shape_factor", "impulse_factor",
    "spectral_centroid", "spectral_entropy", "high_band_energy_ratio",
)  # fmt: skip
SCHEMA = pa.schema(
    [pa.field("series", pa.string()), pa.field("timestamp", pa.timestamp("us", tz="UTC"))]
    + [pa.field(name, pa.float32()) for name in FEATURES]
    + [pa.field("label", pa.int8()), pa.field("fault", pa.string())]
)

# What a fully grown fault of size 1 does: (log rms, log kurtosis, centroid share, entropy, high band), by axis r, x, z.
_FAULTS: dict[str, NDArray[np.float64]] = {
    "imbalance": np.array([[0.9, -0.1, -0.25, -0.10, -0.05], [0.8, -0.1, -0.25, -0.10, -0.05], [0.1, 0, 0, 0, 0]]),
    "misalignment": np.array([[0.2, 0, 0.10, -0.05, 0], [0.3, 0, 0.10, -0.05, 0], [0.9, 0.1, 0.20, -0.08, 0.02]]),
    "looseness": np.array([[0.6, 0.3, 0.10, 0.10, 0.08], [0.3, 0.2, 0.05, 0.08, 0.05], [0.3, 0.2, 0.05, 0.08, 0.05]]),
    "bearing": np.array([[0.25, 1.1, 0.35, 0.04, 0.25], [0.2, 0.9, 0.30, 0.03, 0.20], [0.15, 0.6, 0.2, 0.02, 0.12]]),
}
_DAYS_BETWEEN_FAULTS = 10.0
_LABELLED_FROM = 0.15  # grown share from which an expert would call it a fault


@dataclass(frozen=True)
class Fleet:
    """Number of sensors (three series each), days of history, seed of every draw."""

    sensors: int = 30
    days: int = 10
    seed: int = 7


def simulate_series(fleet: Fleet, sensor: int) -> Iterator[pa.RecordBatch]:
    """The three series of one sensor, in SCHEMA; the same bits for the same fleet and sensor, whatever else is read."""
    rng = np.random.default_rng([fleet.seed, sensor])
    n = fleet.days * 86_400 // PERIOD_S
    hours = np.arange(n, dtype=np.float64) * (PERIOD_S / 3600)
    load = _load(rng, hours)
    grown, kinds = _faults(rng, hours)
    common = rng.normal(0, 0.05, n)  # noise that one housing passes to all its axes
    machine_level = rng.normal(0.3, 0.35)
    for axis, name in enumerate(AXES):
        effect = sum((grown[kind][:, None] * _FAULTS[kind][axis] for kind in grown), np.zeros((n, 5)))
        values = _features(rng, machine_level + rng.normal(0, 0.2), load, common, effect)
        label = (_largest(grown, n) >= _LABELLED_FROM).astype(np.int8)
        yield pa.record_batch(
            [
                pa.array([f"sensor_{sensor:05d}_{name}"] * n, pa.string()),
                pa.array(START + (np.arange(n) * PERIOD_S * 1_000_000).astype("timedelta64[us]"), SCHEMA.field(1).type),
                *[pa.array(values[:, k].astype(np.float32)) for k in range(len(FEATURES))],
                pa.array(label),
                pa.array([kind if flag else None for kind, flag in zip(kinds, label, strict=True)], pa.string()),
            ],
            schema=SCHEMA,
        )


def _largest(grown: dict[str, NDArray[np.float64]], n: int) -> NDArray[np.float64]:
    """(n,) size of the largest fault at each row relative to its final size 1."""
    return np.asarray(np.max([*grown.values(), np.zeros(n)], axis=0))


def _load(rng: np.random.Generator, hours: NDArray[np.float64]) -> NDArray[np.float64]:
    """Daily cycle, slow common drift over the weeks, and autocorrelated disturbance; about -1 to 1."""
    daily = 0.5 * np.sin(2 * np.pi * (hours - rng.uniform(5, 9)) / 24)
    drift = 0.15 * np.sin(2 * np.pi * hours / (24 * 45))
    steps = rng.normal(0, 0.05, len(hours))
    wander = np.empty_like(steps)
    level = 0.0
    for i, step in enumerate(steps):  # AR(1), half-life about 2 h
        level = 0.97 * level + step
        wander[i] = level
    return daily + drift + wander


def _faults(rng: np.random.Generator, hours: NDArray[np.float64]) -> tuple[dict[str, NDArray[np.float64]], list[str]]:
    """Size of each kind of fault at each row, and the kind that rules it."""
    grown: dict[str, NDArray[np.float64]] = {}
    kinds = [""] * len(hours)
    begin = rng.exponential(_DAYS_BETWEEN_FAULTS * 24)
    while begin < hours[-1]:
        kind = list(_FAULTS)[rng.integers(len(_FAULTS))]
        growth_h, held_h, size = rng.uniform(4, 24), rng.uniform(2, 12), rng.uniform(0.3, 1.0)
        age = hours - begin
        active = (age >= 0) & (age <= growth_h + held_h)  # then repaired
        ramp = np.where(active, np.clip(age / growth_h, 0, 1) ** 2, 0.0)
        grown[kind] = np.maximum(grown.get(kind, np.zeros(len(hours))), size * ramp)
        for i in np.flatnonzero(active):
            kinds[i] = kind
        begin += growth_h + held_h + rng.exponential(_DAYS_BETWEEN_FAULTS * 24)
    return grown, kinds


def _features(
    rng: np.random.Generator, level: float, load: NDArray[Any], common: NDArray[Any], effect: NDArray[Any]
) -> NDArray[np.float64]:
    """(n, 10) features in the order of FEATURES: g, g, 1, 1, 1, 1, 1, Hz, 1, 1."""
    n = len(load)
    rms = np.exp(level - 1 + 0.3 * load + common + rng.normal(0, 0.06, n) + effect[:, 0])
    kurtosis = 3.0 * np.exp(np.abs(rng.normal(0, 0.07, n)) + effect[:, 1])
    crest = 3.6 * (kurtosis / 3) ** 0.45 * np.exp(rng.normal(0, 0.06, n))
    shape = 1.2533 * (kurtosis / 3) ** 0.12 * np.exp(rng.normal(0, 0.01, n))
    skewness = rng.normal(0, 0.08, n) + 0.05 * (kurtosis - 3)
    centroid = (1800 + 300 * np.tanh(level)) * (1 + 0.12 * load + effect[:, 2]) * np.exp(rng.normal(0, 0.04, n))
    entropy = np.clip(0.72 + 0.04 * load + effect[:, 3] + rng.normal(0, 0.02, n), 0.01, 0.999)
    high_band = np.clip(0.22 + 0.03 * load + effect[:, 4] + rng.normal(0, 0.025, n), 0.001, 0.999)
    return np.column_stack(
        [rms, rms * crest, crest, kurtosis, skewness, shape, crest * shape, centroid, entropy, high_band]
    )
