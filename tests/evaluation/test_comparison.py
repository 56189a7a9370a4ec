"""Champion and challenger on the same rows: a pass and a refusal need an interval, everything else is left open."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from evaluation.clusters import NOT_AVAILABLE
from evaluation.comparison import Comparison, compare
from evaluation.episodes import LostRows
from evaluation.injection import KINDS, InjectedFaults, Places
from evaluation.paired import Judged
from evaluation.used import Used, used
from features.rows import Rows

HOUR = 3600 * 1_000_000


def fleet(groups: int = 100, *, timed: bool = True, labelled: bool = True) -> Rows:
    """One series a group, 80 hourly rows, every twentieth row an episode of its own."""
    n = groups * 80
    labels = (np.arange(n) % 20 == 19).astype(np.int8)
    times = np.tile(np.arange(80) * HOUR, groups)
    codes = np.repeat(np.arange(groups), 80)
    names = tuple(f"s{code}" for code in range(groups))
    return Rows(("x",), np.zeros((n, 1)), codes, names, times if timed else None, labels if labelled else None)


def detecting(rows: Rows, share: float, seed: int) -> Judged:
    """Alerts on a share of the rows labelled 1; the same seed finds more of the same."""
    luck = np.random.default_rng(seed).random(len(rows))
    return Judged(np.zeros(len(rows), np.float32), rows.anomalous & (luck < share))


def ranking(rows: Rows, distance: float, seed: int) -> Judged:
    """Scores that set anomalies apart by so many standard deviations."""
    scores = np.random.default_rng(seed).normal(0, 1, len(rows)) + distance * rows.anomalous
    return Judged(scores.astype(np.float32), scores > 3)


def injected(rows: Rows, share: float, seed: int) -> Judged:
    """Two faults a group, of each kind and three sizes, of which a share is detected."""
    first = np.arange(0, len(rows), 40)
    places = Places(first[:, None], rows.independent[first], None if rows.times is None else rows.times[first])
    detected = np.random.default_rng(seed).random((len(KINDS), 3, len(first))) < share
    faults = InjectedFaults(detected, np.zeros(len(first), bool), KINDS, (4.0, 8.0, 16.0), places)
    return Judged(np.zeros(len(rows), np.float32), np.zeros(len(rows), bool), faults)


def against(champion: Judged, challenger: Judged, rows: Rows, left_out: NDArray[np.bool_] | None = None) -> Comparison:
    left_out = np.zeros(len(rows), bool) if left_out is None else left_out
    return compare(champion, challenger, rows, left_out, margin=0.05, seed=0)


@pytest.mark.parametrize(
    ("share", "outcome", "verdict"),
    [
        (0.69, "pass", "not worse by more than 0.05"),
        (0.65, "inconclusive", "these rows cannot tell whether it is worse by more than 0.05"),
        (0.50, "refuse", "worse by more than 0.05"),
        (0.95, "pass", "not worse by more than 0.05"),
    ],
)
def test_the_paired_interval_of_episode_recall_decides(share: float, outcome: str, verdict: str) -> None:
    rows = fleet()
    found = against(detecting(rows, 0.7, 1), detecting(rows, share, 1), rows)
    assert (found.measure, found.outcome, found.rows, found.left_out) == ("episode recall", outcome, 8_000, 0)
    assert found.sentence.endswith(f": {verdict}")
    assert "better" not in found.sentence
    assert found.difference is not None
    assert found.difference.level == 0.9
    assert found.difference.low < share - 0.7 + 0.02
    assert found.difference.high > share - 0.7 - 0.02


@pytest.mark.parametrize(("distance", "outcome"), [(1.0, "refuse"), (3.0, "pass")])
def test_labels_without_time_compare_average_precision(distance: float, outcome: str) -> None:
    rows = fleet(timed=False)
    found = against(ranking(rows, 3.0, 1), ranking(rows, distance, 2), rows)
    assert (found.measure, found.outcome) == ("average precision", outcome)
    assert found.difference is not None
    assert found.champion is not None
    assert found.challenger is not None
    assert found.difference.low < found.challenger - found.champion < found.difference.high


@pytest.mark.parametrize(("share", "outcome"), [(0.5, "refuse"), (0.72, "pass")])
@pytest.mark.parametrize("timed", [True, False])
def test_without_labels_recall_of_injected_faults_is_compared_and_called_that(
    share: float, outcome: str, timed: bool
) -> None:
    rows = fleet(labelled=False, timed=timed)
    found = against(injected(rows, 0.7, 1), injected(rows, share, 2), rows)
    assert (found.measure, found.outcome) == ("recall of injected faults", outcome)
    assert found.sentence.startswith("recall of injected faults 0.")


def test_labels_without_an_episode_leave_it_to_injected_faults() -> None:
    rows = fleet()
    quiet = replace(rows, labels=np.zeros(len(rows), np.int8))
    assert against(injected(quiet, 0.7, 1), injected(quiet, 0.7, 2), quiet).measure == "recall of injected faults"


def test_rows_of_training_windows_are_left_out_and_counted() -> None:
    rows = fleet()
    assert rows.times is not None
    early = rows.times < 40 * HOUR
    champion, challenger = detecting(rows, 0.7, 1), detecting(rows, 0.7, 1)
    spoiled = replace(challenger, flagged=challenger.flagged & ~early)
    found = against(champion, spoiled, rows, early)
    assert (found.rows, found.left_out, found.champion) == (4_000, 4_000, found.challenger)
    nothing = against(champion, spoiled, rows, np.ones(len(rows), bool))
    assert (nothing.outcome, nothing.left_out) == ("inconclusive", 8_000)
    assert nothing.sentence == "every test row lies in a training window of either"


def test_windows_are_told_by_time_and_where_cuts_lie_between_series_by_series() -> None:
    rows = fleet(3)
    assert used(rows, [Used(0, 9 * HOUR), Used(5 * HOUR, 19 * HOUR)]).sum() == 3 * 20
    one = used(rows, [Used(0, 100 * HOUR, frozenset({"s1", "elsewhere"}))])
    assert (one == (rows.series == 1)).all()
    assert not used(fleet(3, timed=False), [Used(0, HOUR)]).any()


def test_episodes_in_quarantine_are_missed_by_both() -> None:
    rows = fleet()
    lost = LostRows(np.array(["elsewhere", "elsewhere"], object), np.array([7, 8]) * HOUR, np.zeros(2, bool))
    both = detecting(rows, 1.0, 1)
    found = compare(both, both, rows, np.zeros(len(rows), bool), margin=0.05, seed=0, lost=lost)
    assert found.champion == found.challenger == 400 / 401


def test_few_groups_cannot_tell_a_small_loss_from_none() -> None:
    rows = fleet(12)
    same = detecting(rows, 0.7, 1)
    assert against(same, same, rows).outcome == "inconclusive"
    assert against(same, same, fleet(12)).difference is not None


def test_without_groups_or_days_there_is_no_interval_and_no_verdict() -> None:
    rows = fleet(2)
    found = against(detecting(rows, 0.7, 1), detecting(rows, 0.1, 1), rows)
    assert (found.outcome, found.difference) == ("inconclusive", None)
    assert found.sentence.endswith(NOT_AVAILABLE)


def test_a_champion_that_finds_nothing_has_nothing_to_lose() -> None:
    rows = fleet()
    found = against(detecting(rows, 0.02, 1), detecting(rows, 0.0, 1), rows)
    assert found.outcome == "inconclusive"
    assert "no more than the margin of 0.05 to lose" in found.sentence


def test_without_labels_and_injected_faults_nothing_is_compared() -> None:
    rows = fleet(labelled=False)
    same = detecting(rows, 0.5, 0)
    assert against(same, same, rows).sentence == "nothing can be compared"


@pytest.mark.parametrize("windows", [200, pytest.param(1_000, marks=pytest.mark.slow)])
def test_a_challenger_worse_by_the_margin_seldom_passes_and_is_seldom_refused(windows: int) -> None:
    rows = fleet(60)
    outcomes = []
    for seed in range(windows):
        champion = detecting(rows, 0.7, seed)
        kept = np.random.default_rng([seed, 1]).random(len(rows)) >= 0.05 / 0.7
        outcomes.append(against(champion, replace(champion, flagged=champion.flagged & kept), rows).outcome)
    assert outcomes.count("pass") / windows <= 0.08
    assert outcomes.count("refuse") / windows <= 0.08
