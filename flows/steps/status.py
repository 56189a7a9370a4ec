"""`vigia status`: what registry, git, controller and every replica say, side by side, and where they part."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from features.errors import VigiaError
from flows.adapters.clone import cloned
from flows.adapters.registry import ModelVersion, Registry
from flows.adapters.serve_api import ServeApi
from flows.environments import Environment
from flows.exit_codes import ExitCode
from flows.outcome import Outcome
from flows.promotion.argo import Sync
from flows.promotion.history import Entry
from flows.promotion.hold import Standing
from flows.promotion.observation import Head, make_head
from flows.promotion.parting import Truths, part
from flows.promotion.serve_answers import Application, read_application, read_replica
from flows.steps.doors import Cluster
from flows.steps.history import entries_in
from flows.steps.hold import standing_hold
from flows.steps.status_lines import Seen, figures_of, lines_of, seconds_since

_Answer = TypeVar("_Answer")


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
    environment: Environment,
    registry: Callable[[], Registry],
    api: Callable[[], ServeApi],
    cluster: Cluster | None = None,
    now: float | None = None,
) -> Outcome:
    """Ask everybody once; Argo CD too, whose answer decides nothing.

    Ends with DISAGREE when they part for longer than the environment allows, and with RETRY when somebody could not be
    asked. now: seconds since 1970, this machine's clock without it.
    """
    sides, at = _Sides(), time.time() if now is None else now
    past = sides.ask("git", lambda: _past(environment))
    entries, hold = past or ((), None)
    entry = entries[-1] if entries else None
    if entry and entry.error:
        sides.troubles["git"] = entry.error
    head = None if "git" in sides.troubles else _head(entry)
    view = sides.ask("cluster", lambda: cluster().view()) if cluster else None
    application = sides.ask("controller", lambda: _application(environment, api()))
    replicas = sides.ask("replicas", lambda: tuple(map(read_replica, api().fleet())))
    champion = sides.ask("registry", lambda: _champion(environment, registry(), head)) if head else (None,)
    version = champion[0] if champion else None
    truths = Truths(
        head=head,
        head_age_s=seconds_since(entry.date, at) if entry else None,
        applied=application.applied if application else None,
        status=application.status if application else "",
        running=application.running if application else frozenset(),
        replicas=replicas,
        champion=None if champion is None else version.digest if version else "",
        cluster=view,
        troubles=sides.troubles,
    )
    found = part(truths, environment.allowed_disagreement_s)
    seen = Seen(environment, truths, entry, hold, version, found, at, _sync(cluster))
    return Outcome(
        lines=lines_of(seen),
        digest=head.digest if head else "",
        version=head.version if head else "",
        figures=figures_of(seen),
        exit_code=ExitCode.DISAGREE if found.late else ExitCode.RETRY if found.unseen else ExitCode.DONE,
    )


def _sync(cluster: Cluster | None) -> Sync | str:
    """What Argo CD says, or why it says nothing; "" where none is asked."""
    try:
        return cluster().look_at_sync() if cluster else ""
    except VigiaError as error:
        return str(error)


def _past(environment: Environment) -> tuple[tuple[Entry, ...], Standing | None]:
    with cloned(environment.repository, environment.branch, whole=True) as clone:
        return entries_in(clone, environment), standing_hold(clone, environment)


def _head(entry: Entry | None) -> Head:
    return Head(entry.commit, entry.uri, entry.digest, entry.model, entry.version) if entry else make_head("", {})


def _application(environment: Environment, api: ServeApi) -> Application:
    return read_application(api.application(environment.application), environment.deployment)


def _champion(environment: Environment, registry: Registry, head: Head) -> tuple[ModelVersion | None]:
    return (registry.by_alias(head.model, environment.champion) if head.model else None,)
