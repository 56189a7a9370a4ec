"""Early stops against earlier batches."""

import pytest

from training.halving import Halving, rungs
from training.space import StopTrial
from training.trials import Trial


def run(halving: Halving, losses: list[float]) -> int:
    """Steps that a trial of these losses gets."""
    for step, loss in enumerate(losses, 1):
        try:
            halving(step, loss)
        except StopTrial:
            return step
    return len(losses)


def test_without_three_earlier_trials_nothing_stops() -> None:
    assert run(Halving({3: [0.1, 0.1]}), [9.0] * 10) == 10


def test_a_loss_outside_the_best_third_stops_at_the_rung_and_says_so() -> None:
    earlier = {3: [0.1, 0.2, 0.3]}
    assert run(Halving(earlier), [0.1, 0.1, 0.25, 0.1]) == 3
    assert run(Halving(earlier), [9.0, 9.0, 0.1, 9.0]) == 4
    with pytest.raises(StopTrial, match=r"stopped at step 3: its loss of 0\.25 is not among the best 33% of the 3"):
        Halving(earlier)(3, 0.25)


def test_rungs_are_three_nine_twenty_seven() -> None:
    halving = Halving({})
    assert run(halving, [0.5] * 40) == 40
    assert list(halving.figures) == ["loss_at_3", "loss_at_9", "loss_at_27"]


@pytest.mark.parametrize("loss", [float("nan"), float("inf")])
def test_a_loss_that_is_not_finite_stops_at_once(loss: float) -> None:
    assert run(Halving({}), [1.0, loss, 1.0]) == 2


def test_rungs_hold_the_losses_of_one_family_also_of_stopped_trials() -> None:
    found = [
        Trial(0, "mlp", {}, {"loss_at_3": 0.3, "loss_at_9": 0.2, "recall": 0.5}),
        Trial(1, "mlp", {}, {"loss_at_3": 0.4}, excluded="stopped"),
        Trial(2, "other", {}, {"loss_at_3": 0.1}),
    ]
    assert rungs(found, "mlp") == {3: [0.3, 0.4], 9: [0.2]}
