"""`vigia status`: what registry, git, controller and every replica say, side by side, and where they part."""

import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, TypeVar

from features.errors import VigiaError
from flows.adapters.registry import ModelVersion, Registry
from flows.adapters.serve_api import ServeApi
from flows.environments import Environment
from flows.exit_codes import ExitCode
from flows.outcome import Outcome
from flows.promotion.ages import age
from flows.promotion.history import Entry
from flows.promotion.observation import Head, Replica, make_head
from flows.promotion.parting import Parting, Truths, part
from flows.promotion.serve_answers import Application, read_application, read_replica
from flows.steps.history import read_history

_Answer = TypeVar("_Answer")
Line = tuple[str, str]


@dataclass
class _Sides:
    """Asks each side, and keeps why one could not be asked."""

    troubles: dict[str, str] = field(default_factory=dict)

    def ask(self, side: str, question: Callable[[], _Answer]) -> _Answer | None:
        try:
            return question()
        except VigiaError as error:
            self.troubles.setdefault(side, str(error))
            return None


def status(
    environment: Environment, registry: Callable[[], Registry], api: Callable[[], ServeApi], now: float | None = None
) -> Outcome:
    """Ask everybody once. Ends with DISAGREE when they part for longer than the environment allows, and with RETRY
    when somebody could not be asked. now: seconds since 1970, this machine's clock without it."""
    sides, at = _Sides(), time.time() if now is None else now
    entries = sides.ask("git", lambda: read_history(environment))
    entry = entries[-1] if entries else None
    head = None if entries is None else _head(entry)
    application = sides.ask("controller", lambda: _application(environment, api()))
    replicas = sides.ask("replicas", lambda: tuple(map(read_replica, api().fleet())))
    champion = sides.ask("registry", lambda: _champion(environment, registry(), head)) if head else (None,)
    version = champion[0] if champion else None
    truths = Truths(
        head=head,
        head_age_s=_seconds_since(entry.date, at) if entry else None,
        applied=application.applied if application else None,
        status=application.status if application else "",
        running=application.running if application else frozenset(),
        replicas=replicas,
        champion=None if champion is None else version.digest if version else "",
        troubles=sides.troubles,
    )
    found = part(truths, environment.allowed_disagreement_s)
    return Outcome(
        lines=_told(environment, truths, entry, version, found, at),
        digest=head.digest if head else "",
        version=head.version if head else "",
        figures=_figures(truths, version, found),
        exit_code=ExitCode.DISAGREE if found.late else ExitCode.RETRY if found.unseen else ExitCode.DONE,
    )


def _head(entry: Entry | None) -> Head:
    return Head(entry.commit, entry.uri, entry.digest, entry.model, entry.version) if entry else make_head("", {})


def _application(environment: Environment, api: ServeApi) -> Application:
    return read_application(api.application(environment.application), environment.deployment)


def _champion(environment: Environment, registry: Registry, head: Head) -> tuple[ModelVersion | None]:
    return (registry.by_alias(head.model, environment.champion) if head.model else None,)


def _told(
    environment: Environment,
    truths: Truths,
    entry: Entry | None,
    version: ModelVersion | None,
    found: Parting,
    at: float,
) -> tuple[Line, ...]:
    """The sides in the order of a promotion, then where they part."""
    troubles = truths.troubles
    lines = [
        ("Git", troubles.get("git") or _git(truths, entry)),
        ("Controller", troubles.get("controller") or f"applied {_short(truths.applied)}, {truths.status or 'absent'}"),
        *([("Replicas", troubles["replicas"])] if "replicas" in troubles else _replicas(truths.replicas or (), at)),
        ("Registry", troubles.get("registry") or _registry(environment, version, at)),
    ]
    if found.where:
        late = "longer than allowed" if found.late else "still within what is allowed"
        lines.append(("They part", f"{found.where}: {found.reason} ({late}, {environment.allowed_disagreement_s:g} s)"))
    elif found.unseen:
        lines.append(("Unknown", f"{' and '.join(found.unseen)} could not be asked; what could be seen agrees"))
    else:
        lines.append(("All agree", f"{environment.name} serves what git names" if truths.head else ""))
    return tuple(lines)


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
        said = replica.silent or f"serves sha256:{_short(replica.served)}, loaded {since}{wants}{why}"
        lines.append(("Replica", f"{replica.name or 'unknown'} {said}"))
    return lines or [("Replicas", "none")]


def _registry(environment: Environment, version: ModelVersion | None, at: float) -> str:
    if version is None:
        return f"{environment.champion} is nothing"
    verified = version.tags.get(f"verified_{environment.name}", "")
    when = f", verified {age(_seconds_since(verified, at))}" if verified else ""
    return f"{environment.champion} is {version.name} version {version.version}, sha256:{_short(version.digest)}{when}"


def _figures(truths: Truths, version: ModelVersion | None, found: Parting) -> Mapping[str, Any]:
    """The same for machines; ages in seconds, replicas as they answered."""
    head = None if truths.head is None else {**asdict(truths.head), "age_s": truths.head_age_s}
    replicas = None if truths.replicas is None else [asdict(replica) for replica in truths.replicas]
    return {
        "git": head,
        "controller": {"applied": truths.applied, "status": truths.status, "running": sorted(truths.running)},
        "replicas": replicas,
        "registry": {"champion": version.version if version else None, "digest": truths.champion},
        "parting": asdict(found),
        "troubles": dict(truths.troubles),
    }


def _seconds_since(date: str, at: float) -> float | None:
    try:
        return at - datetime.fromisoformat(date).timestamp()
    except ValueError:
        return None


def _short(digest: str | None) -> str:
    return (digest or "")[:12] or "nothing"
