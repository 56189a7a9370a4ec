"""Random worlds, looked at as a verifier does: what the verdict says is always true of the world."""

import random
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from flows.promotion.judge import Bad, Changed, Decision, Rules, Superseded, Unverifiable, Verified, Waiting, judge
from flows.promotion.observation import Content, Head, Look, Replica
from serving.failure import Failure, Kind

RULES = Rules(rounds=3, over_s=15, timeout_s=60)
OLD, NEW, NEXT = "0" * 64, "1" * 64, "2" * 64
HEAD = Head("c1", "file:///new", NEW, "m", "2")


@dataclass
class World:
    """Replicas that come, load, fail and go; a controller that applies late; a head that may move on.

    good: whether NEW can be served at all; replaced: whether the store holds other content by now.
    """

    chance: random.Random
    good: bool
    head: Head = HEAD
    applied: str = OLD
    replicas: dict[str, Replica] = field(default_factory=dict)
    deployed: str = "RUNNING"
    message: str = ""
    replaced: bool = False

    def step(self) -> None:
        """Something happens, or nothing does."""
        chance = self.chance.random
        if chance() < 0.5:
            self.applied = self.head.digest
        if chance() < 0.01:
            self.head = replace(HEAD, commit="c2", digest=NEXT)
        if chance() < 0.05:
            self.head = replace(self.head, commit=f"merge-{self.chance.random()}")
        if chance() < 0.02:
            self.replaced = True
        if chance() < 0.05:
            self.replicas.pop(next(iter(self.replicas), ""), None)
        if len(self.replicas) < 3 and chance() < 0.8:
            self.replicas[f"r{self.chance.randrange(10**6)}"] = Replica("", OLD, OLD)
        for name, replica in self.replicas.items():
            if chance() < 0.7:
                self.replicas[name] = self._loaded(replace(replica, name=name, desired=self.applied))
        if chance() < 0.05:
            kinds = [Kind.UNREACHABLE, Kind.OTHER] + ([] if self.good else [Kind.DIGEST, Kind.CORRUPT])
            self.deployed = "DEPLOY_FAILED"
            self.message = Failure(self.applied, self.chance.choice(kinds), "").mark if self.applied == NEW else ""
        elif chance() < 0.5:
            self.deployed, self.message = "RUNNING", ""

    def _loaded(self, replica: Replica) -> Replica:
        if replica.desired != NEW or self.good:
            away = Failure(
                replica.desired, self.chance.choice([Kind.UNREACHABLE, Kind.OTHER, Kind.DIGEST]), "a bad day"
            )
            if self.chance.random() < 0.1:  # the store is away, or a cache of this replica is torn
                return replace(replica, failure=away)
            return replace(replica, served=replica.desired, failure=None)
        return replace(
            replica, failure=Failure(NEW, self.chance.choice([Kind.DIGEST, Kind.CORRUPT, Kind.FORMAT]), "bad")
        )

    def look(self, at_s: float) -> Look:
        """What a verifier sees, with all that it may fail to see."""
        chance = self.chance.random
        running = frozenset(self.replicas)
        answers = [replica for replica in self.replicas.values() if replica.name and chance() > 0.02]
        content = Content.INTACT if self.good and not self.replaced else Content.BROKEN
        return Look(
            at_s=at_s,
            head=self.head if chance() > 0.02 else None,
            applied=self.applied,
            status=self.deployed,
            message=self.message,
            running=running,
            replicas=tuple(answers),
            answered=self.chance.choice(answers).served if answers else "",
            content=content if chance() > 0.02 else Content.UNSEEN,
            trouble="away" if chance() < 0.02 else "",
            refused=chance() < 0.002,
        )


def run(seed: int) -> tuple[Decision, World, list[Look]]:
    """The verdict of one verification, and the world as it was then."""
    chance = random.Random(seed)
    world = World(chance, good=chance.random() < 0.7)
    looks: list[Look] = []
    while True:
        for _ in range(3):
            world.step()
        looks.append(world.look(len(looks) * RULES.spacing_s + chance.random()))
        decision = judge(HEAD, looks, RULES)
        if not isinstance(decision, Waiting):
            return decision, world, looks


def hold(seed: int) -> type[Any]:
    """Check one verdict against its world; returns its kind."""
    decision, world, looks = run(seed)
    assert looks[-1].at_s <= RULES.timeout_s + RULES.spacing_s + 1, seed
    if isinstance(decision, Verified):
        assert world.good, seed
        assert world.head.digest == NEW, seed
        assert {replica.served for replica in world.replicas.values()} == {NEW}, seed
        assert len(looks[-1].replicas) == len(world.replicas), seed
    elif isinstance(decision, Bad):
        assert not world.good or world.replaced, seed
        assert world.head.digest == NEW, seed
    elif isinstance(decision, Superseded):
        assert world.head.digest != NEW, seed
    elif isinstance(decision, Changed):
        assert world.replaced, seed
    return type(decision)


def test_a_verdict_is_true_of_the_world_in_two_thousand_random_ones() -> None:
    found = [hold(seed) for seed in range(2_000)]
    counts = {kind: found.count(kind) for kind in (Verified, Bad, Superseded, Changed, Unverifiable)}
    assert min(counts.values()) > 5, counts  # the worlds are varied enough to tell something


@pytest.mark.slow
def test_a_verdict_is_true_of_the_world_in_a_hundred_thousand_random_ones() -> None:
    assert {hold(seed) for seed in range(2_000, 102_000)} == {Verified, Bad, Superseded, Changed, Unverifiable}
