"""`vigia promote --pull-request`: the same commit, on a branch of its own, for somebody to merge."""

from dataclasses import replace

from features.errors import RefusedError
from flows.adapters.clone import cloned
from flows.adapters.pull_requests import PullRequest, PullRequests
from flows.adapters.registry import Registry
from flows.environments import Environment
from flows.outcome import Outcome
from flows.promotion.admission import Overrides
from flows.promotion.pull_request import branch_of, proposed_digest
from flows.steps.candidate import Candidate, find_candidate
from flows.steps.doors import Cluster
from flows.steps.own_branch import open_one, put_up
from flows.steps.promote import already_there, changes, outcome
from flows.steps.proposal import propose


def propose_promotion(
    environment: Environment,
    registry: Registry,
    forge: PullRequests,
    model: str,
    version: str | None,
    overrides: Overrides,
    cluster: Cluster | None = None,
) -> Outcome:
    """Open the environment's pull request, or bring the one that is open up to date. Nothing is promoted by that.

    Running twice changes nothing. Raises what ``promote`` raises; RefusedError too where somebody closed a pull
    request for this very bundle, and RolloutError where somebody committed to its branch: force overrides both.
    """
    candidate = find_candidate(environment, registry, model, version)
    branch = branch_of(environment.name)
    with cloned(environment.repository, environment.branch, whole=True) as clone:
        found = propose(clone, environment, candidate, overrides, cluster)
        if not found.values:
            return already_there(environment, candidate, found)
        found.refuse()
        past = forge.of_branch(branch, environment.branch)
        current = open_one(past)
        if not overrides.force:
            _refuse_closed(past, current, candidate)
        pull, how = put_up(clone, forge, found.change, branch, current, overrides.force)
    text = f"{how} pull request #{pull.number}, not promoted: {pull.url}"
    figures = {"pull_request": pull.number, "url": pull.url, "changes": changes(found)}
    return replace(outcome(environment, candidate, (("Proposed", text),), figures), next_command="")


def _refuse_closed(past: tuple[PullRequest, ...], current: PullRequest | None, candidate: Candidate) -> None:
    last = past[0] if past and current is None else None
    if last and last.state == "closed" and proposed_digest(last.body) == candidate.version.digest:
        raise RefusedError(
            f"not proposed: somebody closed #{last.number} for version {candidate.version.version} without merging it"
            " (--force --reason overrides)"
        )
