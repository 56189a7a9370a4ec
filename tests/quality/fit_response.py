"""`python -m tests.quality.fit_response`: fit the feature level of the simulated fleet to its waveform level.

Prints the constants as the source of ``features/fleet/response_table.py``; --write replaces that file.
"""

import argparse
import pprint
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from features.fleet import response
from features.fleet.energy import State, component_energies, make_state
from features.fleet.faults import MACHINE_FAULTS
from features.fleet.machine import make_machine, make_site
from features.fleet.waveform import RATE_HZ, simulate_records
from features.vibration.record import FEATURE_NAMES, record_features

SEED, MACHINES, RECORDS = 11, 1_600, 25
_TARGET = Path(response.__file__).with_name("response_table.py")
_HEAD = '''"""Constants of ``features.fleet.response``, fitted to {records:,} records of the waveform level by
``tests/quality/fit_response.py`` (seed {seed}); not to be edited by hand."""

TABLE: dict[str, list[float] | list[list[float]]] = '''


def random_states(seed: int, machines: int, records: int) -> State:
    """``machines`` · ``records`` records: any speed, load, temperature, fault up to 1.1; one in seven clipped."""
    rng = np.random.default_rng(seed)
    parts = [_random_state(rng, seed, index, records) for index in range(machines)]
    return State(**{name: np.concatenate([getattr(p, name) for p in parts], axis=-1) for name in vars(parts[0])})


def _random_state(rng: np.random.Generator, seed: int, index: int, n: int) -> State:
    machine = make_machine(seed, index)
    site = make_site(seed, machine, 1)
    sizes = np.zeros((len(MACHINE_FAULTS), n))
    kind, healthy = rng.integers(len(MACHINE_FAULTS), size=n), rng.random(n) < 0.4
    sizes[kind, np.arange(n)] = np.where(healthy, 0, rng.uniform(0, 1.1, n))
    stopped = rng.random(n) < 0.05
    speed = np.where(stopped, 0, machine.speed_hz * rng.uniform(0.65, 1.02, n))
    temperature = rng.uniform(8, 35, n)
    energies = component_energies(
        machine,
        site,
        int(rng.integers(3)),
        speed_hz=speed,
        load=np.where(stopped, 0, rng.uniform(0.15, 1.2, n)),
        temperature_c=temperature,
        sizes=sizes,
        tonal=rng.normal(0, 0.1, n),
        noisy=rng.normal(0, 0.1, n),
    )
    level = np.sqrt(energies.sum(axis=0))
    reach = np.where(rng.random(n) < 1 / 7, level * rng.uniform(0.55, 3.0, n), np.inf)
    return make_state(machine, energies, speed, temperature, reach)


def outputs_of(features: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n, 10) features -> (8, n) response.OUTPUTS."""
    column = dict(zip(FEATURE_NAMES, features.T, strict=True))
    high = np.clip(column["high_band_energy_ratio"], 1e-5, 1 - 1e-5)
    logs = [np.log(column[name]) for name in ("rms", "crest_factor", "kurtosis", "shape_factor", "spectral_centroid")]
    return np.stack([*logs[:3], column["skewness"], *logs[3:], column["spectral_entropy"], np.log(high / (1 - high))])


def fit(state: State, features: NDArray[np.float64]) -> dict[str, Any]:
    """The constants of every output, by least squares in the order in which they build on each other."""
    free, cut = np.isinf(state.range_g), np.isfinite(state.range_g)
    whole, clean = state, state.take(np.flatnonzero(free))
    column = dict(zip(FEATURE_NAMES, features[free].T, strict=True))
    table: dict[str, Any] = {}
    table["kurtosis"] = _solve(response.kurtosis_terms(clean), column["kurtosis"] - 3)
    table["centroid"] = _solve(response.centroid_terms(clean), column["spectral_centroid"])
    table["high_band"] = _solve(response.high_band_terms(clean), column["high_band_energy_ratio"])
    table["entropy"] = _solve(response.entropy_terms(clean), column["spectral_entropy"])
    table["skewness"] = _solve(response.skewness_terms(clean), column["skewness"])
    peakedness = response.log_kurtosis(clean, table)
    table["crest_factor"] = _solve(response.crest_terms(clean, peakedness), np.log(column["crest_factor"]))
    table["shape_factor"] = _solve(response.shape_terms(clean, peakedness), np.log(column["shape_factor"]))
    outputs = outputs_of(features)
    rest = outputs[:, free] - response.expected_outputs(clean, table)
    terms = response.scatter_terms(clean)
    # The mean log of |N(0, 1)| is -0.635.
    table["scatter"] = [_solve(terms, np.log(np.abs(r - np.median(r)) + 1e-6) + 0.635) for r in rest]
    scaled = rest / np.exp(response.weighted(terms, table["scatter"]))
    table["cholesky"] = np.linalg.cholesky(np.corrcoef(np.clip(scaled, -4, 4))).tolist()
    clipped = whole.take(np.flatnonzero(cut))
    table["clipping"] = [[0.0] * len(response.clipping_terms(clipped))] * len(response.OUTPUTS)
    change = outputs[:, cut] - response.expected_outputs(clipped, table)
    table["clipping"] = [_solve(response.clipping_terms(clipped), c) for c in change]
    return table


def _solve(terms: list[Any], values: NDArray[np.float64]) -> list[float]:
    solution: list[float] = np.linalg.lstsq(np.column_stack(terms), values, rcond=None)[0].tolist()
    return solution


def main() -> None:
    """Fit, and print or write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help=f"replace {_TARGET.name}")
    arguments = parser.parse_args()
    state = random_states(SEED, MACHINES, RECORDS)
    table = fit(state, record_features(simulate_records(state, SEED), RATE_HZ))
    rounded = {name: np.round(np.asarray(values), 4).tolist() for name, values in table.items()}
    text = _HEAD.format(records=len(state), seed=SEED) + pprint.pformat(rounded, width=118, compact=True) + "\n"
    if arguments.write:
        _TARGET.write_text(text, encoding="utf-8")
    else:
        print(text)


if __name__ == "__main__":
    main()
