"""Challengers made worse on purpose are refused for what is wrong with them; an equal one is not, nor called better."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from evaluation.comparison import compare
from evaluation.gate.decision import decide
from evaluation.gate.evidence import Decision, GateRules
from features.fleet.simulator import FEATURES, Fleet
from features.split import Window
from tests.evaluation.gate.models import Model, See, Split4, as_it_is, evidence, judged, read_fleet, train, with_feature

RULES = GateRules()


@pytest.fixture(scope="module")
def data() -> Split4:
    return read_fleet(Fleet(sensors=30, days=10, seed=7))


@pytest.fixture(scope="module")
def champion(data: Split4) -> Model:
    return train(data, 1)


def refusals(decision: Decision) -> dict[str, str]:
    assert decision.outcome == "refuse"
    assert not decision.registered
    return {reason.rule: reason.sentence for reason in decision.reasons if reason.outcome == "refuse"}


def in_milli(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(values * np.where(np.array(FEATURES) == "rms", 1_000.0, 1.0))


def shuffled(data: Split4, feature: str) -> See:
    """Reads one feature from another row: a join gone wrong."""
    pool, column = data.window(Window.REFERENCE).values, FEATURES.index(feature)

    def see(values: NDArray[np.float64]) -> NDArray[np.float64]:
        found = values.copy()
        found[:, column] = np.random.default_rng(5).choice(pool[:, column], len(values))
        return found

    return see


def test_a_feature_that_is_shuffled_after_training_is_refused_for_too_many_alerts(data: Split4) -> None:
    # Shuffled before training too, it costs no recall on this fleet: the other features say the same of a fault.
    sound = train(data, 1, name="linear_autoencoder")
    skewed = train(data, 1, name="linear_autoencoder", see=shuffled(data, "crest_factor"), taught=as_it_is)
    found = refusals(decide(evidence(data, skewed, sound), RULES))
    assert list(found) == ["alerts"]
    assert "too many alerts, beyond the budget" in found["alerts"]


def test_twice_the_threshold_is_refused_as_worse_and_too_few_alerts_are_noted(data: Split4, champion: Model) -> None:
    decision = decide(evidence(data, train(data, 2, higher=2.0), champion), RULES)
    found = refusals(decision)
    assert list(found) == ["comparison"]
    assert found["comparison"].endswith("worse by more than 0.05")
    noted = {reason.rule: reason.sentence for reason in decision.objections}["alerts"]
    assert "too few alerts, the threshold is higher than the budget set it" in noted


def test_too_few_calibration_rows_are_refused_for_what_the_threshold_rests_on(data: Split4, champion: Model) -> None:
    found = refusals(decide(evidence(data, train(data, 2, calibration_rows=300), champion), RULES))
    assert found["calibration"].startswith("the threshold rests on 2 independent exceedances")
    assert "comparison" not in found


def test_a_leaked_label_is_refused_by_name(data: Split4) -> None:
    noise = np.random.default_rng(0).normal(0, 0.05, len(data.rows))
    leaking = with_feature(data, "ticket_open", data.rows.anomalous + noise)
    old, new = train(leaking, 1), train(leaking, 2)
    found = refusals(decide(evidence(leaking, new, old), RULES))
    assert found.keys() == {"leak"}
    assert "'ticket_open' (1.0000) alone tells the labels, AUROC above 0.995" in found["leak"]
    allowed = replace(RULES, allowed_features=frozenset({"ticket_open"}))
    assert decide(evidence(leaking, new, old), allowed).outcome != "refuse"


def test_another_unit_of_one_feature_is_refused_by_name(data: Split4, champion: Model) -> None:
    found = refusals(decide(evidence(data, train(data, 2, see=in_milli), champion), RULES))
    assert list(found) == ["units"]
    assert found["units"].startswith("another unit is suspected: 'rms' had centre 0.2")


def test_a_challenger_taught_in_another_unit_than_it_is_asked_in_is_refused_too(data: Split4, champion: Model) -> None:
    taught = train(data, 2, see=as_it_is, taught=in_milli)
    assert "'rms'" in refusals(decide(evidence(data, taught, champion), RULES))["units"]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_an_equal_challenger_is_never_refused_and_never_called_better(data: Split4, champion: Model, seed: int) -> None:
    found = decide(evidence(data, train(data, seed), champion), RULES)
    assert found.outcome in ("pass", "inconclusive")
    assert found.registered
    assert not any("better" in reason.sentence for reason in found.reasons)


def test_the_champion_itself_differs_by_nothing(data: Split4, champion: Model) -> None:
    test, same = data.window(Window.TEST), judged(champion, data)
    found = compare(same, same, test, np.zeros(len(test), bool), margin=0.05, seed=0)
    assert found.champion == found.challenger
    assert found.difference is not None
    assert found.difference.low == -found.difference.high
    assert found.outcome == "inconclusive"  # a dozen machines: a loss of 0.05 may well not show
