"""A verifier to which something happens between its last look and the alias: paused, displaced, overtaken."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import pytest

from features.errors import RolloutError, UnverifiedError
from features.storage import local_path
from serving.failure import Kind
from tests.flows.verification.conftest import Place


@dataclass
class Scripted:
    """A lease that is always free. asked: what happens when its holder insists for the first time, the second, …"""

    asked: list[Callable[[], object]]

    @contextmanager
    def held(self, wait_s: float) -> Iterator[Callable[[], None]]:  # noqa: ARG002 - of the protocol
        """See flows.lease.Lease."""
        left = iter(self.asked)
        yield lambda: next(left, lambda: None)() and None


def lose() -> None:
    raise UnverifiedError("the lease was lost")


def lease_of(place: Place, *asked: Callable[[], object]) -> None:
    place.doors = replace(place.doors, lease=Scripted(list(asked)))


def test_a_head_that_moves_while_the_registry_takes_its_time_is_not_made_champion(place: Place) -> None:
    place.promote(1)
    place.apply()
    lease_of(place, lambda: place.promote(2))
    with pytest.raises(RolloutError, match="superseded: git names version 2 by now, not version 1"):
        place.verify()
    assert not place.alias("champion")


def test_a_lease_that_is_lost_between_the_two_aliases_leaves_the_second(place: Place) -> None:
    for version in (1, 2):
        place.roll_out(version)
    place.promote(3)
    place.apply()
    lease_of(place, lambda: None, lose)
    with pytest.raises(UnverifiedError, match="the lease was lost"):
        place.verify()
    assert (place.alias("champion"), place.alias("previous")) == ("2", "2")
    lease_of(place)
    place.verify()
    assert (place.alias("champion"), place.alias("previous")) == ("3", "2")


def test_a_lease_that_is_lost_while_a_revert_is_verified_moves_no_alias(place: Place) -> None:
    for version in (1, 2):
        place.roll_out(version)
    (local_path(place.refs[1].uri) / "model.onnx").write_bytes(b"something else")
    place.fleet.replicas[0].fails = {place.refs[1].digest: Kind.DIGEST}
    place.fleet.replicas[0].configure(place.refs[1].digest)
    lease_of(place, lambda: None, lose)
    with pytest.raises(RolloutError, match=r"was reverted to version 1 .*; the lease was lost"):
        place.verify()
    assert place.head["version"] == "1"
    assert (place.alias("champion"), place.alias("previous")) == ("2", "1")


def test_a_lease_that_is_lost_before_a_revert_makes_no_commit(place: Place) -> None:
    place.roll_out(1)
    place.promote(2)
    place.fleet.replicas[0].fails = {place.refs[1].digest: Kind.FORMAT}
    place.apply()
    lease_of(place, lose)
    with pytest.raises(UnverifiedError, match="the lease was lost"):
        place.verify()
    assert place.head["version"] == "2"
