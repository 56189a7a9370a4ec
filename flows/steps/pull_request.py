"""`vigia promote --pull-request`: the same commit, on a branch of its own, for somebody to merge."""

from dataclasses import replace

from features.errors import RefusedError, RolloutError, UnverifiedError
from flows.adapters.clone import Clone, cloned
from flows.adapters.git_history import commits_beyond
from flows.adapters.pull_requests import PullRequest, PullRequests
from flows.adapters.registry import Registry
from flows.environments import Environment
from flows.outcome import Outcome
from flows.promotion.admission import Overrides
from flows.promotion.message import read_trailers
from flows.promotion.pull_request import body_of, branch_of, proposed_digest, title_of
from flows.steps.candidate import Candidate, find_candidate
from flows.steps.promote import already_there, changes, outcome
from flows.steps.proposal import Proposal, propose


def propose_promotion(
    environment: Environment,
    registry: Registry,
    forge: PullRequests,
    model: str,
    version: str | None,
    overrides: Overrides,
) -> Outcome:
    """Open the environment's pull request, or bring the one that is open up to date. Nothing is promoted by that.

    Running twice changes nothing. Raises what ``promote`` raises; RefusedError too where somebody closed a pull
    request for this very bundle, and RolloutError where somebody committed to its branch: force overrides both.
    """
    candidate = find_candidate(environment, registry, model, version)
    branch = branch_of(environment.name)
    with cloned(environment.repository, environment.branch, whole=True) as clone:
        found = propose(clone, environment, candidate, overrides)
        if not found.values:
            return already_there(environment, candidate, found)
        found.refuse()
        past = forge.of_branch(branch, environment.branch)
        current = next((one for one in past if one.state == "open"), None)
        if not overrides.force:
            _refuse_closed(past, current, candidate)
        pushed = _push(clone, branch, found, overrides.force)
    pull, how = _bring_up_to_date(forge, environment, branch, found, current, pushed)
    text = f"{how} pull request #{pull.number}, not promoted: {pull.url}"
    figures = {"pull_request": pull.number, "url": pull.url, "changes": changes(found)}
    return replace(outcome(environment, candidate, (("Proposed", text),), figures), next_command="")


def _push(clone: Clone, branch: str, found: Proposal, force: bool) -> bool:
    """Whether the branch had to be changed to hold the commit on the present head."""
    tip = clone.fetch_beside(branch)
    if tip and clone.read(found.change.file, tip) == found.change.text:
        return False
    if tip and not force:
        _refuse_foreign(clone, branch, tip)
    clone.commit(found.change)
    if not clone.push(branch, lease=tip):
        raise UnverifiedError(f"somebody else pushed to {branch} meanwhile; try again")
    return True


def _bring_up_to_date(
    forge: PullRequests, environment: Environment, branch: str, found: Proposal, current: PullRequest | None, new: bool
) -> tuple[PullRequest, str]:
    title = title_of(found.change.message)
    if current is None:
        return forge.open(branch, environment.branch, title, body_of(found.change.message)), "opened"
    body = body_of(found.change.message, current.body)
    if (current.title, current.body) == (title, body):
        return current, "updated" if new else "there is already"
    return forge.update(current.number, title, body), "updated"


def _refuse_closed(past: tuple[PullRequest, ...], current: PullRequest | None, candidate: Candidate) -> None:
    last = past[0] if past and current is None else None
    if last and last.state == "closed" and proposed_digest(last.body) == candidate.version.digest:
        raise RefusedError(
            f"not proposed: somebody closed #{last.number} for version {candidate.version.version} without merging it"
            " (--force --reason overrides)"
        )


def _refuse_foreign(clone: Clone, branch: str, tip: str) -> None:
    for commit in commits_beyond(clone, tip):
        if not read_trailers(commit.message).get("Bundle-Digest"):
            raise RolloutError(
                f"superseded: {branch} was edited by hand ({commit.commit[:12]} by {commit.author}); merge or close its"
                " pull request, or write over it with --force --reason"
            )
