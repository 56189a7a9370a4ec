"""Where git, controller, replicas and registry part: what each says in, the first step that differs out."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from flows.promotion.observation import Head, Replica
from flows.promotion.ray_service import RayServiceView, unsettled

_SKEW_S = 60.0


@dataclass(frozen=True)
class Truths:
    """What each side says now. None: it could not be asked, and ``troubles`` says why, by side.

    head_age_s: how long git has named that digest, by this machine's clock. applied: digest that the controller has;
    champion: digest of the alias, "" without one; cluster: None where none serves.
    """

    head: Head | None = None
    head_age_s: float | None = None
    applied: str | None = None
    status: str = ""
    running: frozenset[str] = frozenset()
    replicas: tuple[Replica, ...] | None = None
    champion: str | None = None
    cluster: RayServiceView | None = None
    troubles: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Parting:
    """Where they part, "" nowhere; why; late: for longer than is allowed; unseen: sides that could not be asked."""

    where: str = ""
    reason: str = ""
    late: bool = False
    unseen: tuple[str, ...] = ()


def part(truths: Truths, allowed_s: float) -> Parting:
    """The first step, from git to the registry, behind which another digest stands.

    A head that is younger than ``allowed_s`` is still on its way. One whose age cannot be told, or that lies in the
    future by more than a minute, has no such excuse.
    """
    unseen = tuple(truths.troubles)
    if truths.head is None:
        return Parting(unseen=unseen)
    where, reason = _first(truths, truths.head.digest)
    age = truths.head_age_s
    on_its_way = age is not None and -_SKEW_S <= age <= allowed_s
    return Parting(where, reason, bool(where) and not on_its_way, unseen)


def _first(truths: Truths, digest: str) -> tuple[str, str]:
    if not digest:
        return "", ""
    if truths.cluster is not None and truths.cluster.generation and truths.cluster.digest != digest:
        rest = f"git names {_short(digest)}; it is for Argo CD to sync"
        return "git → cluster", f"the RayService names {_short(truths.cluster.digest)}, {rest}"
    left = "" if truths.cluster is None else unsettled(truths.cluster, digest)
    if left and truths.cluster and (truths.cluster.suspended or not truths.cluster.active):
        return "cluster → replicas", left
    where, reason = _behind(truths, digest)
    return ("cluster → replicas", left) if where and left else (where, reason)


def _behind(truths: Truths, digest: str) -> tuple[str, str]:
    """The first step behind the cluster; one that is being upgraded may well serve what git names."""
    if truths.applied is not None and truths.applied != digest:
        return "git → controller", f"the controller applied {_short(truths.applied)}, git names {_short(digest)}"
    if truths.applied is not None and truths.status != "RUNNING":
        return "controller → replicas", f"the application is {truths.status or 'absent'}"
    if truths.replicas is not None:
        reason = _replicas(None if truths.applied is None else truths.running, truths.replicas, digest)
        if reason:
            return "controller → replicas", reason
    if truths.champion is not None and truths.champion != digest:
        champion = _short(truths.champion) if truths.champion else "nothing"
        return "replicas → registry", f"the champion is {champion}, git names {_short(digest)}; it is not verified"
    return "", ""


def _replicas(running: frozenset[str] | None, replicas: tuple[Replica, ...], digest: str) -> str:
    """What replicas say that is not as it should be; ``running``: None where nobody could say which there are."""
    for replica in replicas:
        if replica.silent:
            return f"a replica does not answer: {replica.silent}"
        if replica.served != digest:
            why = f": {replica.failure.text}" if replica.failure else ""
            return f"replica {replica.name} serves {_short(replica.served)}, not {_short(digest)}{why}"
    known = {replica.name for replica in replicas}
    if running is None or known == running:
        return ""
    return f"{len(running)} replicas run and {len(known & running)} of them answer"


def _short(digest: str) -> str:
    return digest[:12] or "nothing"
