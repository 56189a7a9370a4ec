"""`vigia promote`: a version reaches the service through git and only through git."""

import difflib
from collections.abc import Mapping
from dataclasses import replace

from flows.adapters.clone import Change, Clone, cloned
from flows.adapters.git import push_change
from flows.adapters.registry import Registry
from flows.environments import Environment
from flows.exit_codes import ExitCode
from flows.outcome import Outcome
from flows.promotion.admission import Overrides
from flows.steps.candidate import Candidate, find_candidate
from flows.steps.doors import Cluster
from flows.steps.proposal import Proposal, propose, refuse_superseding

_NONE = Overrides()


def promote(
    environment: Environment,
    registry: Registry,
    model: str,
    version: str | None,
    overrides: Overrides = _NONE,
    cluster: Cluster | None = None,
) -> Outcome:
    """Commit a version's URI and digest to the environment's file and push. Running twice commits nothing.

    cluster: the one that serves the environment, asked whether it is being upgraded; None where none serves it.
    What is promoted is a digest: one that is there already, under whatever version and commit, is nothing to do.
    Raises InputError when there is no such version, when its content is not what was registered, or when the file
    cannot be edited safely; RefusedError for objections that are not overridden; RolloutError when somebody else
    promoted another bundle meanwhile. Nothing is pushed then.
    """
    candidate = find_candidate(environment, registry, model, version)
    seen: list[Proposal] = []

    def render(clone: Clone) -> Change | None:
        found = propose(clone, environment, candidate, overrides, cluster)
        if seen:
            refuse_superseding(seen[0], found, candidate)
        seen.append(found)
        found.refuse()
        return found.change if found.values else None

    commit = push_change(environment.repository, environment.branch, render)
    if commit is None:
        return already_there(environment, candidate, seen[-1])
    text = f"{model} version {candidate.version.version} to {environment.name}: commit {commit[:12]}"
    figures = {"commit": commit, "changes": changes(seen[-1])}
    return outcome(environment, candidate, (("Promoted", text), *_leave(seen[-1])), figures)


def preview(
    environment: Environment,
    registry: Registry,
    model: str,
    version: str | None,
    overrides: Overrides = _NONE,
    cluster: Cluster | None = None,
) -> Outcome:
    """What ``promote`` would commit now: message, diff and what speaks against it. Commits nothing.

    Raises what ``promote`` would raise, but for a refusal: that is the exit code of the outcome.
    """
    candidate = find_candidate(environment, registry, model, version)
    with cloned(environment.repository, environment.branch) as clone:
        found = propose(clone, environment, candidate, overrides, cluster)
    if not found.values:
        return already_there(environment, candidate, found)
    texts = (found.old.splitlines(keepends=True), (found.change.text or "").splitlines(keepends=True))
    diff = "".join(difflib.unified_diff(*texts, f"a/{found.change.file}", f"b/{found.change.file}", n=1))
    lines = (("Message", f"\n{found.change.message}"), ("Diff", f"\n{diff}"), *_leave(found))
    refused = tuple(("Refused", str(objection)) for objection in found.standing)
    lines += (*refused, ("Dry run", "nothing was committed"))
    done = outcome(environment, candidate, lines, {"changes": changes(found)})
    return replace(done, exit_code=ExitCode.REFUSED) if refused else done


def already_there(environment: Environment, candidate: Candidate, found: Proposal) -> Outcome:
    """Nothing to do."""
    there = f"version {found.served.get('version')}"
    if found.served.get("version") != candidate.version.version:
        there = f"version {candidate.version.version} is the bundle of {there}, which"
    text = f"{there} is already there; nothing to do"
    return outcome(environment, candidate, (("Promoted", text),), {"changes": {}})


def outcome(
    environment: Environment, candidate: Candidate, lines: tuple[tuple[str, str], ...], figures: Mapping[str, object]
) -> Outcome:
    """What was done with a candidate, and what follows."""
    version = candidate.version
    return Outcome(
        lines=lines,
        next_command=environment.follow_up,
        digest=version.digest,
        version=version.version,
        run_id=version.run_id,
        figures=figures,
    )


def changes(found: Proposal) -> dict[str, list[str | None]]:
    """Old and new value by path."""
    return {value.path: [value.old, value.new] for value in found.values}


def _leave(found: Proposal) -> tuple[tuple[str, str], ...]:
    return tuple(("Overridden", objection.sentence) for objection in found.overridden)
