"""What `vigia status` has seen, in lines for people and in figures for machines."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from flows.adapters.registry import ModelVersion
from flows.environments import Environment
from flows.promotion.ages import age
from flows.promotion.argo import Sync
from flows.promotion.history import Entry
from flows.promotion.hold import Standing
from flows.promotion.observation import Replica
from flows.promotion.parting import Parting, Truths
from flows.steps.cluster_lines import Line, cluster_lines


@dataclass(frozen=True)
class Seen:
    """What the sides say, git's last change and its hold, the champion, and where they part; at: seconds since 1970.

    sync: what Argo CD says, why it says nothing, or "" where none is asked.
    """

    environment: Environment
    truths: Truths
    entry: Entry | None
    hold: Standing | None
    version: ModelVersion | None
    parting: Parting
    at: float
    sync: Sync | str = ""


def lines_of(seen: Seen) -> tuple[Line, ...]:
    """The sides in the order of a promotion, then a hold, then where they part."""
    environment, truths, found, at = seen.environment, seen.truths, seen.parting, seen.at
    troubles = truths.troubles
    applier = "Controller" if environment.controller == "reconcile" else "Ray Serve"
    lines = [
        ("Git", troubles.get("git") or _git(truths, seen.entry)),
        *cluster_lines(truths, seen.sync),
        (applier, troubles.get("controller") or f"applied {_short(truths.applied)}, {truths.status or 'absent'}"),
        *([("Replicas", troubles["replicas"])] if "replicas" in troubles else _replicas(truths.replicas or (), at)),
        ("Registry", troubles.get("registry") or _registry(environment, seen.version, at)),
        *([("Hold", f"no promotion passes, {seen.hold}")] if seen.hold else []),
    ]
    if found.where:
        late = "longer than allowed" if found.late else "still within what is allowed"
        lines.append(("They part", f"{found.where}: {found.reason} ({late}, {environment.allowed_disagreement_s:g} s)"))
    elif found.unseen:
        lines.append(("Unknown", f"{_listed(found.unseen, applier)} could not be asked; what could be seen agrees"))
    elif truths.head and truths.head.digest:
        lines.append(("All agree", f"{environment.name} serves what git names"))
    else:
        lines.append(("To do", f"promote a version: `vigia promote --env {environment.name}`"))
    if environment.forwarded:
        lines.append(("Not seen", f"the way that requests take: {environment.probe} is a port-forward"))
    return tuple(lines)


def _listed(sides: tuple[str, ...], applier: str) -> str:
    """Sides as their lines are headed."""
    names = [{"cluster": "RayService", "controller": applier}.get(side, side) for side in sides]
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))


def _git(truths: Truths, entry: Entry | None) -> str:
    if entry is None or not entry.digest:
        return "nothing is promoted"
    what = f"{entry.model} version {entry.version}, sha256:{_short(entry.digest)}"
    return f"{what}, commit {entry.commit[:12]} {age(truths.head_age_s)}: {entry.subject}"


def _replicas(replicas: tuple[Replica, ...], at: float) -> list[Line]:
    lines = []
    for replica in replicas:
        since = age(None if replica.since is None else at - replica.since)
        wants = f", wants {_short(replica.desired)}" if replica.desired != replica.served else ""
        why = f": {replica.failure.text}" if replica.failure else ""
        serves = f"serves sha256:{_short(replica.served)}, loaded {since}" if replica.served else "serves nothing yet"
        said = replica.silent or f"{serves}{wants}{why}"
        lines.append(("Replica", f"{replica.name or 'unknown'} {said}"))
    return lines or [("Replicas", "none")]


def _registry(environment: Environment, version: ModelVersion | None, at: float) -> str:
    if version is None:
        return f"{environment.champion} is nothing"
    verified = version.tags.get(f"verified_{environment.name}", "")
    when = f", verified {age(seconds_since(verified, at))}" if verified else ""
    return f"{environment.champion} is {version.name} version {version.version}, sha256:{_short(version.digest)}{when}"


def figures_of(seen: Seen) -> Mapping[str, Any]:
    """The same for machines; ages in seconds, replicas as they answered."""
    truths, version, hold = seen.truths, seen.version, seen.hold
    head = None if truths.head is None else {**asdict(truths.head), "age_s": truths.head_age_s}
    replicas = None if truths.replicas is None else [asdict(replica) for replica in truths.replicas]
    return {
        "git": head,
        "controller": {"applied": truths.applied, "status": truths.status, "running": sorted(truths.running)},
        "replicas": replicas,
        "cluster": None if truths.cluster is None else asdict(truths.cluster),
        "argocd": asdict(seen.sync) if isinstance(seen.sync, Sync) else seen.sync,
        "registry": {"champion": version.version if version else None, "digest": truths.champion},
        "hold": {**asdict(hold.hold), "by": hold.by} if hold else None,
        "parting": asdict(seen.parting),
        "troubles": dict(truths.troubles),
    }


def seconds_since(date: str, at: float) -> float | None:
    """Seconds from an ISO 8601 date to ``at``, None for what is no date."""
    try:
        return at - datetime.fromisoformat(date).timestamp()
    except ValueError:
        return None


def _short(digest: str | None) -> str:
    return (digest or "")[:12] or "nothing"
