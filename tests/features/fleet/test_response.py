"""The feature level is drawn as the waveform level is measured."""

from typing import Any

import numpy as np
import pytest
from scipy.stats import ks_2samp

from features.fleet.faults import MACHINE_FAULTS
from features.fleet.response import OUTPUTS, draw_features
from features.fleet.waveform import RATE_HZ, simulate_records
from features.vibration.record import FEATURE_NAMES, record_features
from tests.quality.states import states

CONDITIONS: list[dict[str, Any]] = [
    {"load": 0.3},
    {"load": 1.1},
    {"speed": 0.0},
    *({"kind": kind, "size": size} for kind in MACHINE_FAULTS for size in (0.3, 1.0)),
]


@pytest.mark.parametrize("condition", CONDITIONS, ids=lambda c: "-".join(map(str, c.values())))
def test_each_feature_has_the_distribution_of_the_waveforms(condition: dict[str, Any]) -> None:
    # Machines of another seed than those of the fit; 720 records a level: a KS distance of 0.07 is chance at 5 %.
    state = states(seed=2, machines=24, each=10, **condition)
    made = record_features(simulate_records(state, 3), RATE_HZ)
    drawn = draw_features(state, np.random.default_rng(3).standard_normal((len(OUTPUTS), len(state)))).T
    distance = {name: ks_2samp(made[:, k], drawn[:, k]).statistic for k, name in enumerate(FEATURE_NAMES)}
    assert max(distance.values()) < 0.15, distance
    shift = np.abs(np.median(made, axis=0) - np.median(drawn, axis=0)) / made.std(axis=0)
    assert shift.max() < 0.3, dict(zip(FEATURE_NAMES, shift, strict=True))


@pytest.mark.parametrize("clip", [0.7, 1.0, 1.5])
def test_clipped_records_agree_within_a_few_percent(clip: float) -> None:
    state = states(seed=2, machines=24, each=10, clip=clip)
    made = np.median(record_features(simulate_records(state, 3), RATE_HZ), axis=0)
    drawn = np.median(draw_features(state, np.random.default_rng(3).standard_normal((8, len(state)))), axis=1)
    positive = [k for k, name in enumerate(FEATURE_NAMES) if name not in ("skewness", "high_band_energy_ratio")]
    np.testing.assert_allclose(drawn[positive], made[positive], rtol=0.1)


def test_features_move_together_as_those_of_waveforms_do() -> None:
    state = states(seed=2, machines=8, each=60, axes=[0])
    levels = (
        record_features(simulate_records(state, 3), RATE_HZ),
        draw_features(state, np.random.default_rng(3).standard_normal((8, len(state)))).T,
    )
    made, drawn = (
        np.corrcoef((v.reshape(8, 60, 10) - v.reshape(8, 60, 10).mean(1, keepdims=True)).reshape(-1, 10).T)
        for v in levels
    )
    assert np.abs(made - drawn).max() < 0.25
