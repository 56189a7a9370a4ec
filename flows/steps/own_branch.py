"""One commit on a branch of its own, and the one open pull request that proposes it."""

from features.errors import RolloutError, UnverifiedError
from flows.adapters.clone import Change, Clone
from flows.adapters.git_history import commits_beyond
from flows.adapters.pull_requests import PullRequest, PullRequests
from flows.promotion.message import read_trailers
from flows.promotion.pull_request import body_of, title_of


def open_one(past: tuple[PullRequest, ...]) -> PullRequest | None:
    """The one that is open, of all that a branch ever had."""
    return next((one for one in past if one.state == "open"), None)


def put_up(
    clone: Clone, forge: PullRequests, change: Change, branch: str, current: PullRequest | None, force: bool = False
) -> tuple[PullRequest, str]:
    """Propose a change of the clone's head, in ``current`` where one is open; the pull request, and what became of it.

    Doing it again changes nothing. Raises RolloutError where somebody committed to the branch, without ``force``, and
    UnverifiedError when somebody pushes to it meanwhile.
    """
    new = _push(clone, branch, change, force)
    title = title_of(change.message)
    if current is None:
        return forge.open(branch, clone.branch, title, body_of(change.message)), "opened"
    body = body_of(change.message, current.body)
    if (current.title, current.body) == (title, body):
        return current, "updated" if new else "there is already"
    return forge.update(current.number, title, body), "updated"


def _push(clone: Clone, branch: str, change: Change, force: bool) -> bool:
    """Whether the branch had to be changed to hold the commit on the present head."""
    tip = clone.fetch_beside(branch)
    if tip and clone.read(change.file, tip) == change.text:
        return False
    if tip and not force:
        _refuse_foreign(clone, branch, tip)
    clone.commit(change)
    if not clone.push(branch, lease=tip):
        raise UnverifiedError(f"somebody else pushed to {branch} meanwhile; try again")
    return True


def _refuse_foreign(clone: Clone, branch: str, tip: str) -> None:
    for commit in commits_beyond(clone, tip):
        if not read_trailers(commit.message).get("Bundle-Digest"):
            raise RolloutError(
                f"superseded: {branch} was edited by hand ({commit.commit[:12]} by {commit.author}); merge or close its"
                " pull request and delete the branch, or, for a promotion, write over it with --force --reason"
            )
