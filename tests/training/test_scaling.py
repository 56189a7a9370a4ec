"""Centre and scale of each feature of the reference window."""

import numpy as np
import pytest

from serving.bundle import make_transform
from training.scaling import LIMIT, fit_scaling


def test_a_normal_feature_has_its_mean_and_standard_deviation() -> None:
    values = np.random.default_rng(0).normal([3, -50], [2, 0.1], (50_000, 2))
    scaling = fit_scaling(values)
    assert scaling.centre == pytest.approx([3, -50], abs=0.05)
    assert scaling.scale == pytest.approx([2, 0.1], rel=0.03)


def test_wild_values_do_not_move_the_constants_much() -> None:
    values = np.random.default_rng(0).normal(0, 1, (10_000, 1))
    clean = fit_scaling(values)
    values[:200] = 1e9
    assert fit_scaling(values).scale[0] == pytest.approx(clean.scale[0], rel=0.1)
    assert fit_scaling(values).centre[0] == pytest.approx(clean.centre[0], abs=0.1)


def test_a_feature_with_a_constant_middle_takes_its_standard_deviation() -> None:
    values = np.array([[0.0]] * 90 + [[10.0]] * 10)
    assert fit_scaling(values).scale == pytest.approx([3.0])


@pytest.mark.parametrize("constant", [0.0, 7.5, 0.1, 1e-15, 1e12])
def test_a_constant_feature_has_scale_one(constant: float) -> None:
    assert fit_scaling(np.full((1_000, 1), constant)).scale == [1.0]


def test_transformed_values_are_finite_and_within_the_limit() -> None:
    scaling = fit_scaling(np.random.default_rng(0).normal(0, 1e-6, (1_000, 1)))
    found = make_transform(scaling).apply(np.array([[1e300], [-1e300], [scaling.centre[0]]]))
    assert found.dtype == np.float32
    assert found[:, 0].tolist() == [LIMIT, -LIMIT, 0.0]
