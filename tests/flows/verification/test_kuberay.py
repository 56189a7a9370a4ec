"""Random interleavings of KubeRay's reconcile with everything else: what a verdict says is always true of the world."""

import random
from typing import Any

import pytest

from flows.promotion.judge import (
    Bad,
    Changed,
    Decision,
    Rules,
    Superseded,
    Unverifiable,
    Verified,
    Waiting,
    judge,
    lacking,
)
from flows.promotion.observation import Look
from flows.promotion.ray_service import upgrade
from tests.fakes.kuberay.ray_cluster import NEW, SimReplica
from tests.fakes.kuberay.world import HEAD, World

RULES = Rules(rounds=3, over_s=15, timeout_s=60)
_TICK_S = 0.5


def watch(world: World) -> tuple[Decision, list[Look], list[SimReplica]]:
    """As flows.steps.verify watches; also the replicas that could be reached when the last look began."""
    began, looks = world.now, list[Look]()
    while True:
        reached = [replica for cluster in world.behind() for replica in cluster.replicas]
        looks.append(world.look(world.now - began))
        decision = judge(HEAD, looks, RULES)
        if not isinstance(decision, Waiting):
            return decision, looks, reached
        wait_s = 2.0 if lacking(NEW, looks[-1]) else RULES.spacing_s
        for _ in range(round(wait_s / _TICK_S)):
            world.step(_TICK_S)


def world_of(seed: int) -> World:
    """A world in which anything may happen."""
    chance = random.Random(seed)
    world = World(chance, calm=chance.random() < 0.2)
    world.store.good = chance.random() < 0.85
    world.store.known_from = chance.choice([1, 1, 1, 1, 2])
    world.config = chance.choice(["1", "1", "2"])  # an upgrade in the same commit as the promotion
    for replica in () if world.calm else world.clusters["c1"].replicas:
        replica.stuck, replica.draining, replica.unheard = (chance.random() < 0.1 for _ in range(3))
    for _ in range(chance.randrange(20)):
        world.step(_TICK_S)
    return world


def hold(seed: int) -> type[Any]:
    """Check one verdict against its world; returns its kind."""
    world = world_of(seed)
    decision, looks, reached = watch(world)
    assert looks[-1].at_s <= RULES.timeout_s + RULES.spacing_s + 5, seed
    if isinstance(decision, Verified):
        assert world.store.good, seed
        assert {replica.served for replica in reached} <= {NEW}, seed  # a head that was lost has none
    elif isinstance(decision, Bad):
        unknown = 0 < world.asked < world.store.known_from
        assert not world.store.good or world.store.replaced or unknown, (seed, decision.proof)
        assert world.head.digest == NEW, seed
    elif isinstance(decision, Superseded):
        assert world.head.digest != NEW, seed
    elif isinstance(decision, Changed):
        assert world.store.replaced, seed
    elif world.calm:
        assert not world.store.good or int(world.config) > 1, seed
    return type(decision)


def test_a_verdict_is_true_of_the_cluster_in_a_thousand_random_interleavings() -> None:
    found = [hold(seed) for seed in range(1_000)]
    counts = {kind.__name__: found.count(kind) for kind in (Verified, Bad, Superseded, Unverifiable)}
    assert min(counts.values()) > 20, counts  # varied enough to tell something


def test_an_upgrade_is_told_from_the_moment_the_object_asks_for_one_until_the_old_cluster_is_out_of_service() -> None:
    told = 0
    for seed in range(60):
        world = World(random.Random(seed))
        for _ in range(100):
            world.step(_TICK_S)
            view = world.view()
            active = world.clusters.get(view.active)
            if active and active.config != world.service["spec"]["rayClusterConfig"]["rayVersion"]:
                assert upgrade(view), seed
                told += 1
            elif view.generation == view.observed and not view.pending:
                assert not upgrade(view), seed
    assert told > 500


@pytest.mark.slow
@pytest.mark.timeout(1_200)
@pytest.mark.parametrize("block", range(10))
def test_a_verdict_is_true_of_the_cluster_in_a_hundred_thousand_random_interleavings(block: int) -> None:
    first = 1_000 + 10_000 * block
    kinds = {hold(seed) for seed in range(first, first + 10_000)}
    assert kinds == {Verified, Bad, Superseded, Unverifiable, Changed}
