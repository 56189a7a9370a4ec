"""Looks at a world in which everything is as it should be, to change one thing at a time."""

from dataclasses import replace
from typing import Any

from flows.promotion.judge import Rules, judge
from flows.promotion.observation import Content, Head, Look, Replica
from serving.failure import Failure, Kind

OLD, NEW = "0" * 64, "1" * 64
HEAD = Head("c1", "file:///new", NEW, "m", "2")
RULES = Rules(rounds=3, over_s=15, timeout_s=60)
NAMES = ("a", "b", "c")


def look(at_s: float = 0.0, **changed: Any) -> Look:
    """Everything serves NEW, ``at_s`` after the verification began."""
    good = Look(
        at_s=at_s,
        head=HEAD,
        applied=NEW,
        status="RUNNING",
        running=frozenset(NAMES),
        replicas=tuple(Replica(name, NEW, NEW) for name in NAMES),
        answered=NEW,
        content=Content.INTACT,
    )
    return replace(good, **changed)


def verdict_of(*looks: Look) -> Any:
    """Of a verification that began with HEAD; a Decision."""
    return judge(HEAD, looks, RULES)


def with_replica(name: str, served: str, desired: str = NEW, failure: Failure | None = None) -> tuple[Replica, ...]:
    """The replicas, one of them another."""
    other = Replica(name, served, desired, failure)
    return tuple(other if known == name else Replica(known, NEW, NEW) for known in NAMES)


def failed(kind: Kind, digest: str = NEW) -> tuple[Replica, ...]:
    """The replicas; c could not load the digest."""
    return with_replica("c", OLD, failure=Failure(digest, kind, "said c"))
