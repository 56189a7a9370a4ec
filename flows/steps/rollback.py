"""`vigia rollback`: the service goes back to an earlier version, through git like everything else."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from features.errors import InputError, RetryError, UnverifiedError
from flows.adapters.registry import Registry
from flows.environments import Environment
from flows.outcome import Outcome, Progress
from flows.promotion.earlier import last_as, steps_back
from flows.promotion.history import Entry
from flows.promotion.judge import Rules
from flows.promotion.observation import Content, Head
from flows.promotion.return_message import ROLLBACK
from flows.steps.doors import Doors
from flows.steps.history import read_history
from flows.steps.looking import HeadReader, stored_content
from flows.steps.reconcile import reconcile
from flows.steps.returning import coordinates_of, go_back, mark_left
from flows.steps.verify import verify


def rollback(
    environment: Environment,
    registry: Registry,
    doors: Callable[[], Doors],
    rules: Rules,
    progress: Progress,
    to: str,
    steps: int,
    reason: str,
) -> Outcome:
    """Commit the values of an earlier version, and see it through to the alias.

    to: the version; without it, ``steps`` promotions back. The version that is left is tagged first, so that no bot
    brings it back. Stopped anywhere, the same command completes it. Raises InputError where there is no such version or
    its bundle is broken, and what ``verify`` raises; then the commit stands.
    """
    if not reason.strip():
        raise InputError("--reason", "must say why; it is written into the commit")
    head, entries = HeadReader(environment).read(), read_history(environment)
    if not head.digest:
        raise InputError("git", f"nothing is promoted to {environment.name}, so there is nothing to go back from")
    target = _target(environment, registry, entries, to, steps)
    lines: tuple[tuple[str, str], ...] = (("Rollback", f"git names version {head.version} already"),)
    if target.digest != head.digest:
        lines = _commit(environment, registry, head, target, entries, reason, progress)
    try:
        opened = doors()
        done = _seen_through(opened, rules, progress, target.version)
    except RetryError as error:
        raise UnverifiedError(f"{lines[0][1]}; not verified yet: {error}") from error
    return replace(done, lines=(*lines, *done.lines))


def _commit(
    environment: Environment,
    registry: Registry,
    head: Head,
    target: Entry,
    entries: Sequence[Entry],
    reason: str,
    progress: Progress,
) -> tuple[tuple[str, str], ...]:
    content, _ = stored_content(environment, target.uri, target.digest)
    if content is Content.BROKEN:
        raise InputError("--to", f"version {target.version} is broken in its store; publish it again", target.uri)
    unmarked = mark_left(registry, environment, head, reason)
    with progress.stage(f"Going back to version {target.version} by a commit"):
        commit = go_back(environment, head, coordinates_of(target), entries, ROLLBACK, reason)
    what = f"from version {head.version} to version {target.version}: commit {(commit or '')[:12]}"
    return (("Rollback", what), *((("Attention", unmarked),) if unmarked else ()))


def _target(environment: Environment, registry: Registry, entries: Sequence[Entry], to: str, steps: int) -> Entry:
    if to:
        return last_as(entries, to)
    last = entries[-1]
    if last.subject.startswith(ROLLBACK):
        champion = registry.by_alias(last.model, environment.champion)
        if champion is None or champion.digest != last.digest:  # a rollback that was stopped before its verification
            return last
    return steps_back(entries, steps)


def _seen_through(doors: Doors, rules: Rules, progress: Progress, version: str) -> Outcome:
    """Verified; where this machine is its own controller, applied before."""
    if doors.environment.controller == "reconcile":
        return reconcile(doors, rules, progress)
    return verify(doors, rules, progress, version)
