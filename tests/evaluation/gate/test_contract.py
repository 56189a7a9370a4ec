"""The contract of a bundle: features in order, past rows, and levels in the units of the table."""

from dataclasses import replace

import numpy as np
import pytest

from evaluation.gate.evidence import contract
from features.fleet.simulator import FEATURES, Fleet
from features.history import History
from features.split import Window
from serving.baselines import Baselines, Stratum
from tests.evaluation.gate.models import Model, Split4, read_fleet, train


@pytest.fixture(scope="module")
def data() -> Split4:
    return read_fleet(Fleet(sensors=10, days=10, seed=3))


@pytest.fixture(scope="module")
def model(data: Split4) -> Model:
    return train(data, 1)


def test_levels_are_the_medians_and_spreads_of_the_reference_window(data: Split4, model: Model) -> None:
    found = contract(model.bundle)
    assert (found.features, found.past_rows) == (FEATURES, 0)
    rms = data.normal(Window.REFERENCE).values[:, 0]
    assert found.levels["rms"][0] == pytest.approx(np.median(rms))


def test_with_baselines_levels_are_the_fleets_own_and_a_feature_that_stood_still_has_none(model: Model) -> None:
    centre, scale = np.full((2, 10), 5.0), np.full((2, 10), 2.0, np.float32)
    scale[1, 0] = 1e-12
    baselines = Baselines(np.array([1], np.uint64), centre, scale, np.array([0, Stratum.UNSEEN], np.int8), ("",))
    scorer = replace(model.bundle.scorer, baselines=baselines, history=History(3, ("mean",), 10))
    found = contract(replace(model.bundle, scorer=scorer))
    assert found.past_rows == 3
    assert found.levels == {name: (5.0, 2.0) for name in FEATURES if name != "rms"}
