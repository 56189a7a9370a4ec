"""`vigia rollback`: the service goes back to an earlier version, through git like everything else."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from features.errors import InputError, RefusedError, RetryError, UnverifiedError
from flows.adapters.pull_requests import PullRequests
from flows.adapters.registry import Registry
from flows.environments import Environment
from flows.outcome import Outcome, Progress
from flows.promotion.earlier import last_as, steps_back
from flows.promotion.history import Entry
from flows.promotion.judge import Rules
from flows.promotion.observation import Content
from flows.promotion.return_message import ROLLBACK
from flows.steps.crowning import is_verified
from flows.steps.doors import Doors
from flows.steps.history import read_history
from flows.steps.looking import HeadReader, stored_content
from flows.steps.reconcile import reconcile
from flows.steps.return_request import ask_to_go_back
from flows.steps.returning import Return, coordinates_of, go_back, make_return, mark_left, where_to
from flows.steps.verify import verify

Lines = tuple[tuple[str, str], ...]


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
    brings it back. Stopped anywhere, the same command completes it; once it is verified, by whomever, the same command
    goes one further. Raises InputError where there is no such version or its bundle is broken, RefusedError where the
    branch takes no push, and what ``verify`` raises; then the commit stands.
    """
    way, version = _way(environment, registry, to, steps, reason)
    lines: Lines = (("Rollback", f"git names version {version} already"),)
    if way:
        lines = _commit(environment, registry, way, progress)
    try:
        opened = doors()
        done = _seen_through(opened, rules, progress, version)
    except RetryError as error:
        follow = f"`vigia {environment.follow_up}` goes on with it"
        raise UnverifiedError(f"{lines[0][1]}; not verified yet: {error}; {follow}") from error
    return replace(done, lines=(*lines, *done.lines))


def propose_rollback(
    environment: Environment, registry: Registry, forge: PullRequests, to: str, steps: int, reason: str
) -> Outcome:
    """Open the pull request that goes back to an earlier version, or bring the one that is open up to date.

    Nothing is rolled back by that; the version that would be left is tagged all the same, since nothing of ours runs
    when it is merged. Raises InputError as ``rollback``, and RolloutError where somebody committed to the branch.
    """
    way, version = _way(environment, registry, to, steps, reason)
    if way is None:
        return Outcome(lines=(("Rollback", f"git names version {version} already; nothing to do"),), version=version)
    unmarked = mark_left(registry, environment, way.head, reason)
    lines = _lines(ask_to_go_back(environment, way, forge), unmarked)
    return Outcome(lines=lines, digest=way.to["digest"], version=version)


def _way(environment: Environment, registry: Registry, to: str, steps: int, reason: str) -> tuple[Return | None, str]:
    """The way back, None where git names the version already; and that version."""
    if not reason.strip():
        raise InputError("--reason", "must say why; it is written into the commit")
    head, entries = HeadReader(environment).read(), read_history(environment)
    if not head.digest:
        raise InputError("git", f"nothing is promoted to {environment.name}, so there is nothing to go back from")
    target = _target(environment, registry, entries, to, steps)
    if target.digest == head.digest:
        return None, target.version
    content, _ = stored_content(environment, target.uri, target.digest)
    if content is Content.BROKEN:
        rule = f"version {target.version} is broken in its store; remove it there and publish it again"
        raise InputError("--to", rule, target.uri)
    return make_return(head, coordinates_of(target), entries, ROLLBACK, reason), target.version


def _commit(environment: Environment, registry: Registry, way: Return, progress: Progress) -> Lines:
    unmarked = mark_left(registry, environment, way.head, way.reason)
    with progress.stage(f"Going back {where_to(way.to)} by a commit"):
        try:
            commit = go_back(environment, way)
        except RefusedError as error:
            raise RefusedError(f"{error}; `vigia rollback --pull-request` proposes it") from error
    return _lines(f"from version {way.head.version} {where_to(way.to)}: commit {(commit or '')[:12]}", unmarked)


def _lines(done: str, unmarked: str) -> Lines:
    return (("Rollback", done), *((("Attention", unmarked),) if unmarked else ()))


def _target(environment: Environment, registry: Registry, entries: Sequence[Entry], to: str, steps: int) -> Entry:
    if to:
        return last_as(entries, to)
    last = entries[-1]
    if last.subject.startswith(ROLLBACK):
        champion = registry.by_alias(last.model, environment.champion)
        if champion is None or champion.digest != last.digest or not is_verified(environment, champion):
            return last  # a rollback that was stopped before its verification
    return steps_back(entries, steps)


def _seen_through(doors: Doors, rules: Rules, progress: Progress, version: str) -> Outcome:
    """Verified; where this machine is its own controller, applied before."""
    if doors.environment.controller == "reconcile":
        return reconcile(doors, rules, progress)
    return verify(doors, rules, progress, version)
