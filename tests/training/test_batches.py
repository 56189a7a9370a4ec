"""Batches repeat whatever the order, the delays and the kills; no Ray runs here."""

import json
import math
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from features.errors import InputError
from training.batches import BATCH, Batches
from training.detectors.registry import family
from training.proposals import make_proposer
from training.trials import Goal, Limit, Trial

FAMILIES = ("isolation_forest", "autoencoder")
FIRST = tuple((name, family(name).defaults) for name in FAMILIES)
GOAL = Goal("quality")


class Killed(Exception):
    """The driver is gone."""


def figures(proposal: Trial) -> dict[str, float]:
    """A smooth function of the parameters."""
    return {"quality": sum(math.cos(float(value)) ** 2 for value in proposal.parameters.values()), "size": 5.0}


def batches(folder: Path, trials: int = 13, goal: Goal = GOAL, **more: Any) -> Batches:
    proposer = make_proposer(FIRST, 7, BATCH)
    return Batches(proposer, trials, goal, folder, more.get("time_budget_s"), lambda _: None)


def drive(
    found: Batches,
    chance: random.Random,
    answer: Callable[[Trial], dict[str, Any]] = lambda p: {"figures": figures(p)},
    kill_after: int = 10_000,
) -> list[Trial]:
    """What a search does, its trials ending in a random order."""
    ended = 0
    while batch := found.propose():
        for trial in chance.sample(batch, len(batch)):
            if ended >= kill_after:
                raise Killed
            found.record(trial, answer(trial))
            ended += 1
    return [found.trials[number] for number in sorted(found.trials)]


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> list[Trial]:
    return drive(batches(tmp_path_factory.mktemp("table")), random.Random(0))


def test_the_defaults_come_first_and_numbers_have_no_gaps(table: list[Trial]) -> None:
    assert [trial.number for trial in table] == list(range(13))
    assert [trial.family for trial in table[:2]] == list(FAMILIES)
    assert len({json.dumps([trial.family, trial.parameters]) for trial in table}) == 13


@pytest.mark.parametrize("seed", range(1, 6))
def test_any_order_of_ends_gives_the_same_table(table: list[Trial], tmp_path: Path, seed: int) -> None:
    assert drive(batches(tmp_path), random.Random(seed)) == table


@pytest.mark.parametrize("seed", range(20))
def test_after_kills_at_random_moments_the_table_is_the_same(table: list[Trial], tmp_path: Path, seed: int) -> None:
    chance, evaluated = random.Random(seed), []

    def answer(proposal: Trial) -> dict[str, Any]:
        evaluated.append(proposal.number)
        return {"figures": figures(proposal)}

    for _ in range(3):
        with pytest.raises(Killed):
            drive(batches(tmp_path), chance, answer, kill_after=chance.randrange(4))
    assert drive(batches(tmp_path), chance, answer) == table
    assert sorted(evaluated) == list(range(13))  # nothing that had ended ran twice


def test_a_search_whose_trials_are_all_recorded_has_none_to_run(table: list[Trial], tmp_path: Path) -> None:
    drive(batches(tmp_path), random.Random(1))
    found = batches(tmp_path)
    assert not found.propose()
    assert list(found.trials.values()) == table


def test_records_of_another_search_are_refused(tmp_path: Path) -> None:
    drive(batches(tmp_path), random.Random(1))
    record = tmp_path / "0009.json"
    record.write_text(record.read_text().replace('"family": "', '"family": "other_'))
    with pytest.raises(InputError, match="--resume: trial 9 was recorded with other parameters"):
        batches(tmp_path).propose()


def test_failures_are_recorded_and_repeat(tmp_path: Path) -> None:
    def answer(proposal: Trial) -> dict[str, Any]:
        bad = figures(proposal)["quality"] > 2
        return {"error": "ValueError: bad"} if bad else {"figures": figures(proposal)}

    found = [drive(batches(tmp_path / str(seed)), random.Random(seed), answer) for seed in (1, 2)]
    assert found[0] == found[1]
    assert {trial.error for trial in found[0]} == {"", "ValueError: bad"}


def test_a_missing_figure_is_an_error(tmp_path: Path) -> None:
    found = batches(tmp_path, trials=2)
    dead, silent = found.propose()
    found.record(dead, {"error": "its worker died"})
    found.record(silent, {"figures": {"size": 1.0}})
    assert [trial.error for trial in found.trials.values()] == ["its worker died", "measured no quality"]


def test_a_limit_excludes_and_steers_away(tmp_path: Path) -> None:
    goal = Goal("quality", limits=(Limit("size", 100.0, "search.max_bundle_bytes"),))

    def answer(proposal: Trial) -> dict[str, Any]:
        size = 1_000.0 if proposal.family == "autoencoder" else 5.0
        return {"figures": {"quality": size, "size": size}}  # the larger would win

    found = drive(batches(tmp_path, 30, goal), random.Random(1), answer)
    assert {trial.excluded for trial in found if trial.family == "autoencoder"} == {
        "1000 size, above search.max_bundle_bytes = 100"
    }
    assert sum(trial.family == "autoencoder" for trial in found[15:]) <= 3


def test_a_time_budget_ends_the_search_between_batches_and_a_resumed_one_at_the_same_place(tmp_path: Path) -> None:
    found = batches(tmp_path, 13, time_budget_s=0.0)
    drive(found, random.Random(1))
    assert len(found.trials) == BATCH
    again = batches(tmp_path, 13, time_budget_s=0.0)
    assert not again.propose()
    assert again.trials == found.trials


def test_rungs_hold_earlier_batches_only(tmp_path: Path) -> None:
    found = batches(tmp_path)
    while batch := found.propose():
        for trial in batch:
            losses = [loss for rung in found.earlier(trial).values() for loss in rung]
            assert losses == [float(n) for n in range(batch[0].number) if found.trials[n].family == trial.family]
            found.record(trial, {"figures": {**figures(trial), "loss_at_3": float(trial.number)}})
    assert len(found.trials) == 13
