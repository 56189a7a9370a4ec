"""Limits follow from the figures: each is said where it applies, and nowhere else."""

from dataclasses import replace

import pytest

from evaluation.episodes import Episodes
from evaluation.pages.card.limits import limits
from evaluation.pages.card.model import Card, InjectedRecall, KindRecall, Threshold
from serving.manifest import Budget
from tests.evaluation.pages.card.cards import BARE, COMPARED, FULL

YEAR = replace(FULL.data.windows[0], first="2025-01-05T00:00:00Z")
WITHOUT: dict[str, tuple[str, Card]] = {
    "simulated": ("they are simulated", replace(FULL, identity=replace(FULL.identity, simulated=False))),
    "few days": ("learned from 5 days", replace(FULL, data=replace(FULL.data, windows=(YEAR, *FULL.data.windows[1:])))),
    "drift": ("1 of 2 features drifted", replace(FULL, drift=replace(FULL.drift, features=FULL.drift.features[1:]))),
    "few episodes": (
        "Recall rests on 28 episodes: the share found may as well be 61.0 % or 93.0 %",
        replace(FULL, episodes=Episodes(280, 230, 1, 0)),
    ),
    "quarantine": ("1 of the 28 episodes went to quarantine", replace(FULL, episodes=Episodes(28, 23, 0, 0))),
    "a kind": ("“imbalance” occurred 12 times and was never", replace(FULL, kinds=(KindRecall("imbalance", 12, 1),))),
    "seeds": ("Another seed would name other rows", replace(FULL, stability=None)),
    "runs": ("Alert rows come in runs", replace(FULL, by_series=replace(FULL.by_series, events=1_400))),
    "strata": ("young baselines are held to a higher threshold", replace(FULL, thresholds=FULL.thresholds[:1])),
    "rest": ("machines at rest get no score", replace(FULL, data=replace(FULL.data, at_rest=0))),
}


@pytest.mark.parametrize("name", WITHOUT)
def test_a_limit_is_said_where_it_applies_and_nowhere_else(name: str) -> None:
    words, other = WITHOUT[name]
    assert words in " ".join(limits(FULL))
    assert words not in " ".join(limits(other))


def test_a_detector_that_misses_the_largest_injected_faults_names_their_kinds() -> None:
    injected = (
        *(InjectedRecall(kind, 4.0, 0.0) for kind in ("offset", "noise")),
        *(InjectedRecall("offset", 16.0, 0.5), InjectedRecall("noise", 16.0, 0.09)),
    )
    forest = replace(FULL, injected=injected)
    autoencoder = replace(forest, identity=replace(FULL.identity, family="autoencoder"))
    missed = "even at 16 robust deviations, the largest size that was put into test rows: it detects noise 9.00 %."
    assert all(missed in " ".join(limits(card)) for card in (autoencoder, forest))
    assert [card for card in (autoencoder, forest) if "Autoencoders often see" in " ".join(limits(card))] == [forest]
    assert "misses most faults" not in " ".join(limits(replace(FULL, injected=injected[:1] + injected[2:3])))


def test_few_exceedances_and_a_budget_of_rows_are_said() -> None:
    said = " ".join(limits(BARE))
    assert "rests on 4 independent exceedances" in said
    assert "a share of the rows (the table has no time)" in said
    assert "exceedances" not in " ".join(limits(FULL))
    few = Budget("onsets_per_series_day", 0.1, 0.09, 3600.0, exceedances=9)
    assert "9 independent exceedances" in " ".join(limits(replace(FULL, thresholds=(Threshold("all", 1.0, few),))))


def test_without_labels_nothing_is_known_of_real_faults() -> None:
    assert "which share of real faults it finds is not known" in " ".join(limits(BARE))
    assert "is not known" not in " ".join(limits(FULL))


def test_an_inconclusive_comparison_is_a_limit() -> None:
    assert "Not known to be as good as the champion" in " ".join(limits(replace(FULL, comparison=COMPARED)))
    assert "champion" not in " ".join(limits(FULL))


def test_a_history_is_a_limit() -> None:
    card = replace(FULL, data=replace(FULL.data, history_rows=6, without_history=540))
    assert "needs the 6 rows before it in its series; 540 rows" in " ".join(limits(card))
