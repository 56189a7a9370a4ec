"""Which version an environment goes back to."""

import pytest

from features.errors import InputError
from flows.promotion.earlier import fallback, last_as, standing, steps_back
from flows.promotion.history import Entry


def told(*versions: str) -> list[Entry]:
    """A history of versions; "" is nothing, "?" a file that could not be read."""
    return [
        Entry(f"c{at}", "", "", "", "" if version == "?" else version, "m", version, error="?" * (version == "?"))
        for at, version in enumerate(versions)
    ]


@pytest.mark.parametrize(
    ("versions", "stack"),
    [
        ("", ""),
        ("1", "1"),
        ("1 2 3", "1 2 3"),
        ("1 2 3 2", "1 2"),
        ("1 2 1 3", "1 3"),
        ("1 2 3 1 4 5 4", "1 4"),
        ("1 ? 2", "1 2"),
        ("1 2 ? 2", "1 2"),
    ],
)
def test_going_back_takes_away_what_came_after(versions: str, stack: str) -> None:
    assert [entry.version for entry in standing(told(*versions.split()))] == stack.split()


def test_a_revert_to_nothing_leaves_nothing() -> None:
    assert [entry.version for entry in standing(told("1", "", "2"))] == ["1", "2"]


def test_one_step_back_after_a_rollback_does_not_return_to_what_was_left() -> None:
    assert steps_back(told("1", "2", "3", "2"), 1).version == "1"
    assert steps_back(told("1", "2", "3"), 2).version == "1"


@pytest.mark.parametrize("steps", [0, -1, 2, 9])
def test_steps_that_lead_nowhere_name_those_that_do(steps: int) -> None:
    with pytest.raises(InputError, match=r"--steps: must lead to an earlier version \(from oldest to newest: 1\)"):
        steps_back(told("1", "2"), steps)


def test_before_the_first_version_there_is_nothing_to_go_back_to() -> None:
    with pytest.raises(InputError, match=r"git: names no version before the present one"):
        steps_back(told("1"), 1)


def test_a_version_is_found_as_it_was_named_last() -> None:
    assert last_as(told("1", "2", "1", "3"), "1").commit == "c2"
    with pytest.raises(InputError, match=r"--to: must be a version that was promoted here before \(1, 2\), got '7'"):
        last_as(told("1", "2"), "7")


def test_a_replica_falls_back_on_what_is_below_and_never_on_what_was_left() -> None:
    history = told("1", "2", "3")
    found = [fallback(history, to, "3") for to in ("1", "2")]
    assert [entry and entry.version for entry in found] == [None, "1"]
    back = fallback(told("1", "2", "1", "3"), "2", "3")
    assert back is not None
    assert back.version == "1"
