"""`vigia hold`: a commit that keeps promotions out of an environment, and the one that lets them in again."""

from datetime import UTC, datetime

from flows.adapters.clone import Change, Clone
from flows.adapters.git import push_change
from flows.adapters.git_history import file_history
from flows.environments import Environment
from flows.outcome import Outcome
from flows.promotion.hold import (
    Hold,
    Standing,
    hold_file,
    hold_message,
    read_hold,
    release_message,
    required_reason,
    write_hold,
)


def hold(environment: Environment, reason: str) -> Outcome:
    """Put the environment on hold. One that is on hold stays so, with its reason and date; nothing is committed then.

    Raises InputError without a reason.
    """
    wanted = Hold(required_reason(reason), f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}")
    file, found = hold_file(environment.file), [wanted]

    def render(clone: Clone) -> Change | None:
        text = clone.read(file)
        if text is not None:
            found[0] = read_hold(text)
            return None
        return Change(file, write_hold(wanted), hold_message(environment.name, wanted))

    commit = push_change(environment.repository, environment.branch, render)
    how = f"is on hold: commit {commit[:12]}" if commit else f"was on hold already, {found[0]}; nothing to do"
    follow = f"hold {environment.name} --release"
    return Outcome(lines=(("Hold", f"{environment.name} {how}"),), figures={"commit": commit}, next_command=follow)


def release(environment: Environment, reason: str) -> Outcome:
    """End the hold. Without one there is nothing to do."""
    file = hold_file(environment.file)

    def render(clone: Clone) -> Change | None:
        text = clone.read(file)
        return None if text is None else Change(file, None, release_message(environment.name, read_hold(text), reason))

    commit = push_change(environment.repository, environment.branch, render)
    how = f"is free: commit {commit[:12]}" if commit else "was not on hold; nothing to do"
    return Outcome(lines=(("Hold", f"{environment.name} {how}"),), figures={"commit": commit})


def standing_hold(clone: Clone, environment: Environment) -> Standing | None:
    """The hold at the head of a whole clone."""
    file = hold_file(environment.file)
    text = clone.read(file)
    return None if text is None else Standing(read_hold(text), file_history(clone, file)[-1].author)
