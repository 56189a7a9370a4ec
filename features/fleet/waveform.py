"""The waveform level: raw records of a state, as tones of the shaft, shaped noise and the ringing of a bearing seat.

Simulated, not measured. A tone is cos(2π · order · speed · t + φ); an impact on a race is a damped sine. Speed is kept
by drawing noise from a pool of a million points and by one small matrix product a record for all tones.
"""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from features.errors import InputError
from features.fleet.energy import State
from features.fleet.machine import COMPONENTS, NOISE, stream

RATE_HZ = 20_480.0
POINTS = 2_048
SLIP = 0.01  # deviation of an interval between impacts by the interval: elements slip 1 to 2 % (Randall, Antoni)
OUTER_DEPTH, INNER_DEPTH = 0.15, 0.85  # modulation by the shaft: only an inner race turns through the load zone
_POOL = 2**20
_COARSE = 64  # points between two coarse instants of the tone tables
_CHUNK = 256  # records worked on at once: their points stay in the cache
_RING_POINTS = 160  # 6.5 times the longest decay time
_LOOSE = np.arange(0.5, 6.5, 0.5)
_LOOSE_SHAPE = 1 / (0.6 + _LOOSE)
_SECOND_SHAPE = np.array([1.0, 0.4])  # orders 2 and 3
_MESH_SHAPE = np.array([0.35, 1.0, 0.35, 0.4])  # two sidebands around the mesh, and its second harmonic


def simulate_records(
    state: State, seed: int | list[int], *, points: int = POINTS, axes: int = 1
) -> NDArray[np.float32]:
    """(n, points) float32 waveforms in g at RATE_HZ; the same bits for the same state and seed on one kind of CPU.

    points: a multiple of 64; axes: so many rows in a row are the axes of one sensor and share the noise of its housing.
    """
    if points % _COARSE or points <= 0 or points > _POOL // 4:
        raise InputError("points", f"must be a multiple of {_COARSE} up to {_POOL // 4:,}", points)
    if axes < 1 or len(state) % axes:
        raise InputError("axes", f"must divide the number of records, {len(state)}", axes)
    rng = np.random.Generator(np.random.SFC64(np.random.SeedSequence(seed)))
    step = max(1, _CHUNK // axes) * axes
    records = np.empty((len(state), points), np.float32)
    for start in range(0, len(state), step):
        part = state.take(np.arange(start, min(start + step, len(state))))
        records[start : start + len(part)] = _chunk(part, rng, points, axes)
    return records


def _chunk(state: State, rng: np.random.Generator, points: int, axes: int) -> NDArray[np.float32]:
    amplitude = dict(zip(COMPONENTS, np.sqrt(state.energies), strict=True))
    x = _tones(state, amplitude, rng, points)
    x += _noise(amplitude, rng, points, axes)
    for name, order, depth in (("outer", state.outer_order, OUTER_DEPTH), ("inner", state.inner_order, INNER_DEPTH)):
        hit = np.flatnonzero((amplitude[name] > 0) & (state.speed_hz > 0))
        if len(hit):
            _ring(x, hit, state.take(hit), order[hit], amplitude[name][hit], depth, rng)
    limit = state.range_g.astype(np.float32)[:, None]
    if np.isfinite(limit).any():
        np.clip(x, -limit, limit, out=x)
    return x


def _tones(
    state: State, amplitude: dict[str, NDArray[np.float64]], rng: np.random.Generator, points: int
) -> NDArray[np.float32]:
    """Σ a_h cos(2π o_h f t + φ_h): with t = coarse + fine, one product of two small tables of rotations a record."""
    n = len(state)
    mesh = state.mesh_order[:, None] + np.array([-1, 0, 1, 0]) + np.array([0, 0, 0, 1]) * state.mesh_order[:, None]
    orders = np.column_stack([np.ones(n), np.full((n, 2), (2.0, 3.0)), np.broadcast_to(_LOOSE, (n, len(_LOOSE))), mesh])
    turns = rng.random((n, orders.shape[1]), dtype=np.float32)
    # The knocks of a loose foot: all half orders start together, so they add up to one blow every second turn.
    knock = rng.random((n, 1), dtype=np.float32)
    turns[:, 3 : 3 + len(_LOOSE)] = knock * _LOOSE.astype(np.float32) + 0.12 * turns[:, 3 : 3 + len(_LOOSE)]
    parts = (
        amplitude["first"][:, None],
        amplitude["second"][:, None] * _unit(_SECOND_SHAPE),
        amplitude["loose"][:, None] * _unit(_LOOSE_SHAPE),
        amplitude["mesh"][:, None] * _unit(_MESH_SHAPE),
    )
    sizes = (np.sqrt(2) * np.column_stack(parts)).astype(np.float32)
    step = (2 * np.pi / RATE_HZ * orders * state.speed_hz[:, None]).astype(np.float32)
    coarse = np.arange(0, points, _COARSE, dtype=np.float32)[:, None] * step[:, None, :]
    coarse += (2 * np.pi * turns)[:, None, :]
    fine = step[:, :, None] * np.arange(_COARSE, dtype=np.float32)
    left = np.concatenate([np.cos(coarse) * sizes[:, None, :], np.sin(coarse) * -sizes[:, None, :]], axis=2)
    right = np.concatenate([np.cos(fine), np.sin(fine)], axis=1)
    return np.asarray(np.matmul(left, right).reshape(n, points), np.float32)


def _unit(shape: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(shape / np.sqrt(np.square(shape).sum()))


def _noise(
    amplitude: dict[str, NDArray[np.float64]], rng: np.random.Generator, points: int, axes: int
) -> NDArray[np.float32]:
    n = len(amplitude["flow"])
    total = np.zeros((n, points), np.float32)
    for name, pool in _pools().items():
        offsets = rng.integers(0, _POOL - points, n)
        if name == "flow":  # low frequencies move the whole housing: its axes hear the same noise
            offsets = np.repeat(offsets[::axes], axes)
        noise = np.lib.stride_tricks.sliding_window_view(pool, points)[offsets]
        noise *= amplitude[name].astype(np.float32)[:, None]
        total += noise
    return total


@lru_cache(maxsize=1)
def _pools() -> dict[str, NDArray[np.float32]]:
    """A million points of each noise, rms 1: flow below 1 kHz, structure about 2 kHz, white."""
    frequency = np.fft.rfftfreq(_POOL, 1 / RATE_HZ)
    band = {
        "flow": (frequency / 30) / (1 + (frequency / 30) ** 2) ** 0.5 / (1 + (frequency / 700) ** 4) ** 0.5,
        "structure": 1 / (1 + ((frequency - 2_100) / 600) ** 2),
        "white": np.ones_like(frequency),
    }
    pools = {}
    for number, (name, shape) in enumerate(band.items()):
        spectrum = np.fft.rfft(stream(number, 0, 0, NOISE).standard_normal(_POOL)) * shape
        spectrum[0] = 0
        noise = np.fft.irfft(spectrum, _POOL)
        pools[name] = (noise / noise.std()).astype(np.float32)
    return pools


def _ring(
    x: NDArray[np.float32],
    rows: NDArray[np.int64],
    state: State,
    order: NDArray[np.float64],
    amplitude: NDArray[np.float64],
    depth: float,
    rng: np.random.Generator,
) -> None:
    """Add to rows of x the impacts at ``order`` times shaft speed, each ringing the resonance; rms ``amplitude``."""
    n, points = len(rows), x.shape[1]
    interval = RATE_HZ / (order * state.speed_hz)  # in points
    impacts = int(np.ceil((points + _RING_POINTS) / interval.min())) + 3
    gaps = interval[:, None] * (1 + SLIP * rng.standard_normal((n, impacts), dtype=np.float32))
    instants = np.cumsum(gaps, axis=1) - interval[:, None] * (1 + rng.random((n, 1))) - _RING_POINTS
    turn = instants * (state.speed_hz / RATE_HZ)[:, None] + rng.random((n, 1))
    sizes = (1 + depth * np.cos(2 * np.pi * turn)) * (1 + 0.1 * rng.standard_normal((n, impacts), dtype=np.float32))
    at = np.arange(_RING_POINTS) / RATE_HZ
    kernel = np.exp(-at / state.ring_s[:, None]) * np.sin(2 * np.pi * state.resonance_hz[:, None] * at)
    power = np.square(kernel).sum(axis=1) / interval * (1 + depth**2 / 2) * 1.01
    kernel = (kernel * (amplitude / np.sqrt(power))[:, None]).astype(np.float32)
    padded = np.zeros((n, points + 2 * _RING_POINTS), np.float32)
    flat, base = padded.reshape(-1), np.arange(n) * padded.shape[1]
    starts = np.round(instants).astype(np.int64) + _RING_POINTS
    for j in range(impacts):
        inside = np.flatnonzero((starts[:, j] >= 0) & (starts[:, j] < points + _RING_POINTS))
        index = (base[inside] + starts[inside, j])[:, None] + np.arange(_RING_POINTS)
        flat[index] += kernel[inside] * sizes[inside, j, None].astype(np.float32)
    x[rows] += padded[:, _RING_POINTS : _RING_POINTS + points]
