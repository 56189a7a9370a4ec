"""Going back to an earlier version: the promotion's own edit, with the earlier values."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from features.errors import InputError, RetryError, RolloutError
from flows.adapters.clone import Change, Clone, required
from flows.adapters.git import push_change
from flows.adapters.registry import Registry
from flows.environments import Environment
from flows.promotion.admission import rolled_back_tag
from flows.promotion.earlier import fallback, standing
from flows.promotion.edit import set_leaves
from flows.promotion.history import Entry
from flows.promotion.observation import Content, Head, make_head
from flows.promotion.return_message import return_message
from flows.steps.head import named_leaves, target
from flows.steps.looking import stored_content

NOTHING = {"uri": "", "digest": "", "model": "", "version": ""}


def coordinates_of(entry: Entry) -> dict[str, str]:
    """What a manifest says of a version that git named once."""
    return {"uri": entry.uri, "digest": entry.digest, "model": entry.model, "version": entry.version}


@dataclass(frozen=True)
class Return:
    """From ``head`` to the coordinates ``to``: by whom (a verb of return_message) and why.

    below: what a replica falls back on then: the version below the earlier one, never the one that is left.
    """

    head: Head
    to: Mapping[str, str]
    below: Mapping[str, str]
    verb: str
    reason: str


def make_return(head: Head, to: Mapping[str, str], entries: Sequence[Entry], verb: str, reason: str) -> Return:
    """The way back, given what git named so far."""
    below = fallback(entries, to["digest"], head.digest)
    return Return(head, to, coordinates_of(below) if below else NOTHING, verb, reason)


def go_back(environment: Environment, way: Return) -> str | None:
    """Commit the earlier values; the commit, or None when they stand there already.

    Raises RolloutError when the head names something else by now, RefusedError when a push is refused.
    """
    return push_change(environment.repository, environment.branch, lambda clone: return_change(clone, environment, way))


def where_to(to: Mapping[str, str]) -> str:
    """The place that a way back leads to, in words."""
    return f"to version {to['version']}" if to["digest"] else "to nothing"


def return_change(clone: Clone, environment: Environment, way: Return) -> Change | None:
    """The commit on the clone's head, or None when the values stand there. Raises RolloutError, as ``go_back``."""
    text = required(clone, environment.file)
    now = make_head(clone.head, named_leaves(environment, text))
    if now.digest not in (way.head.digest, way.to["digest"]):
        raise RolloutError(f"version {now.version} was promoted meanwhile; nothing was changed")
    wanted = {("bundle", key): value for key, value in way.to.items()}
    wanted |= {("previous", key): value for key, value in way.below.items()}
    edit = set_leaves(text, wanted, target(environment))
    message = return_message(way.verb, environment.name, way.head, way.to, way.reason)
    return Change(environment.file, edit.text, message) if edit.changes else None


def newest_intact(environment: Environment, entries: Sequence[Entry], head: Head) -> dict[str, str]:
    """What ``head`` stood upon: the newest version below it that the store does not show to be broken; else nothing."""
    for entry in reversed(standing(entries)):
        if entry.digest != head.digest and _may_serve(environment, entry):
            return coordinates_of(entry)
    return dict(NOTHING)


def mark_left(registry: Registry, environment: Environment, head: Head, reason: str) -> str:
    """Tag the version that is left, so that promote asks before it brings it back; why it could not be, or empty.

    A rollback does not wait for the registry: replicas do not depend on it either.
    """
    try:
        registry.tag_version(head.model, head.version, {rolled_back_tag(environment.name): reason})
    except (RetryError, InputError) as error:
        return f"version {head.version} could not be marked in the registry: {error}"
    return ""


def _may_serve(environment: Environment, entry: Entry) -> bool:
    try:
        return stored_content(environment, entry.uri, entry.digest)[0] is Content.INTACT
    except RetryError:
        return True  # it served before, and nothing speaks against it
