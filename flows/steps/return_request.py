"""Going back by a pull request, where the repository's rules refuse a push."""

from collections.abc import Sequence

from features.errors import RefusedError, RetryError, RolloutError, UnreachableError, VigiaError
from flows.adapters.clone import cloned
from flows.adapters.pull_requests import PullRequest, PullRequests
from flows.environments import Environment
from flows.promotion.pull_request import left_digest, return_branch_of
from flows.promotion.return_message import REVERT, ROLLBACK
from flows.steps.doors import Doors
from flows.steps.own_branch import open_one, put_up
from flows.steps.returning import Return, return_change, where_to


def propose_revert(doors: Doors, way: Return, refusal: RefusedError) -> str:
    """Propose the revert whose push was refused; what came of it, in words.

    Raises UnreachableError where another try may help.
    """
    bad = f"version {way.head.version} is bad: {way.reason}"
    try:
        with doors.forge() as forge:
            return f"{bad}; {ask_to_go_back(doors.environment, way, forge)} ({refusal})"
    except RetryError as error:
        raise UnreachableError(f"{bad}; {refusal}; no pull request yet: {error}") from error
    except RolloutError as error:  # superseded, or people have the pull request in hand
        return f"{bad}; not reverted: {refusal}; {error}"
    except VigiaError as error:
        return f"{bad}; it must be reverted by hand: {refusal}; no pull request: {error}"


def ask_to_go_back(environment: Environment, way: Return, forge: PullRequests) -> str:
    """Propose the same commit in a pull request, or find the one that is open; in words.

    Raises RolloutError when the head names something else by now, when somebody committed to the branch, or, for a
    revert that nobody asked for, when somebody closed it before.
    """
    branch = return_branch_of(environment.name)
    with cloned(environment.repository, environment.branch, whole=True) as clone:
        change = return_change(clone, environment, way)
        if change is None:
            return "it was merged meanwhile"
        past = forge.of_branch(branch, environment.branch)
        current = open_one(past)
        if way.verb == REVERT and current is None:
            _respect_closed(past, way)
        pull, how = put_up(clone, forge, change, branch, current)
    done = "rolled back" if way.verb == ROLLBACK else "reverted"
    return f"{how} pull request #{pull.number} {where_to(way.to)}, not {done}: {pull.url}"


def _respect_closed(past: Sequence[PullRequest], way: Return) -> None:
    last = past[0] if past else None
    if last and last.state == "closed" and left_digest(last.body) == way.head.digest:
        raise RolloutError(f"not proposed: somebody closed #{last.number} without merging it: {last.url}")
