"""`python -m tests.quality.fit_response`: fit the feature level of the simulated fleet to its waveform level.

Prints the constants as the source of ``features/fleet/response_table.py``; --write replaces that file.
"""

import argparse
import pprint
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from features.fleet import clipping, response
from features.fleet.energy import State, weighted
from features.fleet.waveform import RATE_HZ, simulate_records
from features.vibration.record import FEATURE_NAMES, record_features
from tests.quality.states import random_states

SEED, MACHINES, RECORDS = 11, 1_600, 25
_TARGET = Path(response.__file__).with_name("response_table.py")
_HEAD = '''"""Constants of ``features.fleet.response``, fitted to {records:,} records of the waveform level by
``tests/quality/fit_response.py`` (seed {seed}); not to be edited by hand."""

TABLE: dict[str, list[float] | list[list[float]]] = '''


def outputs_of(features: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n, 10) features -> (8, n) response.OUTPUTS."""
    column = dict(zip(FEATURE_NAMES, features.T, strict=True))
    high = np.clip(column["high_band_energy_ratio"], 1e-5, 1 - 1e-5)
    logs = [np.log(column[name]) for name in ("rms", "crest_factor", "kurtosis", "shape_factor", "spectral_centroid")]
    return np.stack([*logs[:3], column["skewness"], *logs[3:], column["spectral_entropy"], np.log(high / (1 - high))])


def fit(state: State, features: NDArray[np.float64]) -> dict[str, Any]:
    """The constants of every output, by least squares in the order in which they build on each other."""
    free, cut = np.flatnonzero(np.isinf(state.range_g)), np.flatnonzero(np.isfinite(state.range_g))
    clean, clipped, outputs = state.take(free), state.take(cut), outputs_of(features)
    column = dict(zip(FEATURE_NAMES, features[free].T, strict=True))
    kurtosis, centroid, high = (column[FEATURE_NAMES[k]] for k in (3, 7, 9))
    table: dict[str, Any] = {}
    # Weights where the scatter grows with the value: what is drawn is a log or a logit.
    table["kurtosis"] = _solve(response.kurtosis_terms(clean), kurtosis - 3, 1 / kurtosis)
    table["centroid"] = _solve(response.centroid_terms(clean), centroid, 1 / centroid)
    table["high_band"] = _solve(response.high_band_terms(clean), high, 1 / (high * (1 - high) + 0.01))
    table["entropy"] = _solve(response.entropy_terms(clean), column["spectral_entropy"])
    table["skewness"] = _solve(response.skewness_terms(clean), column["skewness"])
    table["rms"] = _solve(response.rms_terms(clean), outputs[0, free] - 0.5 * np.log(clean.energies.sum(axis=0)))
    peakedness = response.log_kurtosis(clean, table)
    table["crest_factor"] = _solve(response.crest_terms(clean, peakedness), np.log(column["crest_factor"]))
    table["shape_factor"] = _solve(response.crest_terms(clean, peakedness), np.log(column["shape_factor"]))
    rest = outputs[:, free] - response.expected_outputs(clean, table)
    terms = response.scatter_terms(clean)
    table["scatter"] = [_solve(terms, _log_size(r)) for r in rest]
    scaled = rest / np.exp(weighted(terms, table["scatter"]))
    table["cholesky"] = np.linalg.cholesky(np.corrcoef(np.clip(scaled, -4, 4))).tolist()
    _fit_clipping(table, clipped, outputs[:, cut])
    return table


def _fit_clipping(table: dict[str, Any], clipped: State, outputs: NDArray[np.float64]) -> None:
    before = response.expected_outputs(clipped, table)
    reached = np.flatnonzero(before[0] + before[1] > np.log(clipped.range_g))
    clipped, before, outputs = clipped.take(reached), before[:, reached], outputs[:, reached]
    moved = list(clipping.MOVED)
    table["clipping"] = [_solve(clipping.moved_terms(clipped), g) for g in (outputs - before)[moved]]
    terms = clipping.squared_terms(clipped, outputs[1], before[2])
    table["clipped"] = [_solve(terms, outputs[k]) for k in (2, 4)]
    rest = outputs[[2, 4]] - weighted(terms, table["clipped"])
    table["clipped_scatter"] = [_solve(clipping.squared_scatter_terms(outputs[1]), _log_size(r)) for r in rest]


def _log_size(rest: NDArray[np.float64]) -> NDArray[np.float64]:
    """Whose mean is the log of the deviation: that of log |N(0, 1)| is -0.635."""
    return np.asarray(np.log(np.abs(rest) + 1e-6) + 0.635)


def _solve(terms: list[Any], values: NDArray[np.float64], weights: Any = 1.0) -> list[float]:
    by = np.broadcast_to(weights, values.shape)
    solution: list[float] = np.linalg.lstsq(np.column_stack(terms) * by[:, None], values * by, rcond=None)[0].tolist()
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
