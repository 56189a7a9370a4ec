"""Stopped anywhere, a plain re-run completes."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from features.errors import RolloutError
from flows.promotion.admission import rolled_back_tag
from serving.failure import Kind
from tests.flows.verification.conftest import Place
from tests.flows.verification.test_verify import damage


class Killed(BaseException):
    """What no code of ours catches: the process is gone."""


@dataclass
class Deadline:
    """Calls that may still be made before the process is killed."""

    left: int
    calls: list[str] = field(default_factory=list)

    def mortal(self, door: Any) -> Any:
        """The same door, behind which one dies."""
        return _Mortal(door, self)


@dataclass
class _Mortal:
    _door: Any
    _deadline: Deadline

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._door, name)
        if not callable(found):
            return found

        def call(*arguments: Any, **named: Any) -> Any:
            if self._deadline.left == 0:
                raise Killed(name)
            self._deadline.left -= 1
            self._deadline.calls.append(name)
            return found(*arguments, **named)

        return call


def killed_after(place: Place, calls: int, work: Callable[[Place], object]) -> bool:
    """Whether the work was killed at that many calls of registry and log; it has finished otherwise."""
    deadline, doors = Deadline(calls), place.doors
    place.doors = replace(doors, registry=deadline.mortal(doors.registry), log=deadline.mortal(doors.log))
    try:
        work(place)
    except Killed:
        return True
    finally:
        place.doors = doors
    return False


def test_between_any_two_steps_that_move_the_aliases(place: Place) -> None:
    place.roll_out(1)
    place.roll_out(2)
    place.promote(3)
    place.apply()
    calls = 0
    while killed_after(place, calls, Place.verify):
        calls += 1
        assert place.alias("champion") in ("2", "3")
        place.doors.registry.set_alias("m", "champion-local", "2")  # each time from the beginning
        place.doors.registry.set_alias("m", "previous-local", "1")
    assert calls > 6
    assert (place.alias("champion"), place.alias("previous")) == ("3", "2")


@pytest.mark.parametrize("calls", [2, 5, 7, 8, 9])
def test_a_plain_re_run_completes_what_was_killed(place: Place, calls: int) -> None:
    place.roll_out(1)
    place.promote(2)
    place.apply()
    assert killed_after(place, calls, Place.verify)
    place.verify()
    assert (place.alias("champion"), place.alias("previous")) == ("2", "1")
    assert [(move.alias, move.version) for move in place.doors.log.read()] == [
        ("champion-local", "1"),
        ("previous-local", "1"),
        ("champion-local", "2"),
    ]
    assert place.tags(2)["verified_local"]
    assert place.tags(2)["champion_local_since"]


def test_a_revert_that_was_killed_before_its_commit_or_after_it(place: Place) -> None:
    place.roll_out(1)
    place.promote(2)
    damage(place, 2)
    place.fleet.replicas[0].fails = {place.refs[1].digest: Kind.DIGEST}
    place.apply()
    assert killed_after(place, 0, Place.verify)
    assert place.head["version"] == "2"
    assert killed_after(place, 1, Place.verify)  # the version is marked, the commit is pushed, nothing verified yet
    assert place.head["version"] == "1"
    assert place.tags(2)[rolled_back_tag("local")]
    place.apply()
    assert place.verify().version == "1"
    assert (place.alias("champion"), place.alias("previous")) == ("1", "")


def test_a_bad_bundle_is_still_reverted_when_the_first_attempt_was_killed(place: Place) -> None:
    place.roll_out(1)
    place.promote(2)
    damage(place, 2)
    place.fleet.replicas[0].fails = {place.refs[1].digest: Kind.DIGEST}
    place.apply()
    assert killed_after(place, 0, Place.verify)
    with pytest.raises(RolloutError, match="reverted to version 1"):
        place.verify()
