"""Batches repeat whatever the order, the delays and the kills; no Ray runs here."""

import json
import math
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from features.errors import InputError
from training.batches import BATCH, RECORD, Batches
from training.detectors.registry import family
from training.proposals import make_proposer
from training.trials import Goal, Limit, Trial

FAMILIES = ("isolation_forest", "autoencoder")
FIRST = tuple((name, family(name).defaults) for name in FAMILIES)
GOAL = Goal("quality")


class Killed(Exception):
    """The driver is gone."""


def figures(proposal: dict[str, Any]) -> dict[str, float]:
    """A smooth function of the parameters."""
    return {"quality": sum(math.cos(float(value)) ** 2 for value in proposal["parameters"].values()), "size": 5.0}


def batches(folder: Path, trials: int = 13, goal: Goal = GOAL, **more: Any) -> Batches:
    proposer = make_proposer(FIRST, 7, BATCH)
    return Batches(proposer, trials, goal, folder, more.get("time_budget_s"), lambda _: None)


def drive(
    found: Batches,
    chance: random.Random,
    answer: Callable[[dict[str, Any]], dict[str, Any]] = lambda p: {"figures": figures(p)},
    kill_after: int = 10_000,
) -> list[Trial]:
    """What Tune does, in a random order: ask for trials, sometimes too early, and end them, sometimes at once."""
    running: dict[str, dict[str, Any]] = {}
    for step in range(10_000):
        if step >= kill_after:
            raise Killed
        if chance.random() < 0.5 or not running:
            told = found.suggest(f"t{step}")
            if told == "FINISHED":
                break
            if isinstance(told, dict):
                running[f"t{step}"] = told["proposal"]
        elif running:
            ended = chance.choice(sorted(running))
            found.on_trial_complete(ended, {RECORD: json.dumps(answer(running.pop(ended)))})
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


def test_trials_that_end_at_once_give_the_same_table(table: list[Trial], tmp_path: Path) -> None:
    found = batches(tmp_path)
    for number in range(13):  # one at a time: each ends before the next is asked for
        told = found.suggest(f"t{number}")
        assert isinstance(told, dict)
        found.on_trial_complete(f"t{number}", {RECORD: json.dumps({"figures": figures(told["proposal"])})})
    assert found.suggest("late") == "FINISHED"
    assert list(found.trials.values()) == table


@pytest.mark.parametrize("seed", range(20))
def test_after_kills_at_random_moments_the_table_is_the_same(table: list[Trial], tmp_path: Path, seed: int) -> None:
    chance, evaluated = random.Random(seed), []

    def answer(proposal: dict[str, Any]) -> dict[str, Any]:
        evaluated.append(proposal)
        return {"figures": figures(proposal)}

    for _ in range(3):
        with pytest.raises(Killed):
            drive(batches(tmp_path), chance, answer, kill_after=chance.randrange(1, 12))
    assert drive(batches(tmp_path), chance, answer) == table
    assert len(evaluated) == 13  # nothing that had ended ran twice


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
    def answer(proposal: dict[str, Any]) -> dict[str, Any]:
        bad = figures(proposal)["quality"] > 2
        return {"error": "ValueError: bad"} if bad else {"figures": figures(proposal)}

    found = [drive(batches(tmp_path / str(seed)), random.Random(seed), answer) for seed in (1, 2)]
    assert found[0] == found[1]
    assert {trial.error for trial in found[0]} == {"", "ValueError: bad"}


def test_a_dead_worker_and_a_missing_figure_are_errors(tmp_path: Path) -> None:
    found = batches(tmp_path, trials=2)
    for name in ("a", "b"):
        found.suggest(name)
    found.on_trial_complete("a", error=True)
    found.on_trial_complete("b", {RECORD: json.dumps({"figures": {"size": 1.0}})})
    assert [trial.error for trial in found.trials.values()] == ["its worker died, three times", "measured no quality"]


def test_a_limit_excludes_and_steers_away(tmp_path: Path) -> None:
    goal = Goal("quality", limits=(Limit("size", 100.0, "search.max_bundle_bytes"),))

    def answer(proposal: dict[str, Any]) -> dict[str, Any]:
        size = 1_000.0 if proposal["name"] == "autoencoder" else 5.0
        return {"figures": {"quality": size, "size": size}}  # the larger would win

    found = drive(batches(tmp_path, 30, goal), random.Random(1), answer)
    assert {trial.excluded for trial in found if trial.family == "autoencoder"} == {
        "1000 size, above search.max_bundle_bytes = 100"
    }
    assert sum(trial.family == "autoencoder" for trial in found[15:]) <= 3


def test_a_time_budget_ends_the_search_between_batches_and_a_resumed_one_at_the_same_place(tmp_path: Path) -> None:
    found = batches(tmp_path, 13, time_budget_s=0.0)
    drive(found, random.Random(1))
    assert (len(found.trials), found.late) == (BATCH, True)
    again = batches(tmp_path, 13, time_budget_s=0.0)
    assert not again.propose()
    assert (again.trials, again.late) == (found.trials, True)


def test_rungs_hold_earlier_batches_only(tmp_path: Path) -> None:
    seen: list[tuple[int, list[Any]]] = []

    def answer(proposal: dict[str, Any]) -> dict[str, Any]:
        seen.append((len(seen), proposal["earlier"]))
        return {"figures": {**figures(proposal), "loss_at_3": float(len(seen))}}

    drive(batches(tmp_path), random.Random(3), answer)
    for place, earlier in seen:
        losses = [loss for _, values in earlier for loss in values]
        assert all(loss <= place // BATCH * BATCH for loss in losses)
