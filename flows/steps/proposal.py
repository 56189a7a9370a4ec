"""What a promotion would commit on the head it finds, and what speaks against it."""

from dataclasses import dataclass

from features.errors import InputError, RefusedError, RolloutError, UnreachableError, VigiaError
from flows.adapters.clone import Change, Clone, required
from flows.environments import Environment
from flows.promotion.admission import (
    ADMITTED,
    GATE,
    GATE_REASONS,
    Evidence,
    Objection,
    Overrides,
    Requests,
    objections,
    rolled_back_tag,
)
from flows.promotion.edit import Change as Value
from flows.promotion.edit import promote_text
from flows.promotion.hold import hold_file, read_hold
from flows.promotion.message import Facts, promotion_message
from flows.promotion.ray_service import upgrade
from flows.steps.candidate import Candidate, load, requests_of
from flows.steps.doors import Cluster
from flows.steps.head import coordinates, named_bundle, target
from flows.steps.overlay import refuse_bad_overlay


@dataclass(frozen=True)
class Proposal:
    """``old`` text -> ``change``, with each value it changes; without values there is nothing to do.

    served: what the head names; overridden, standing: what speaks against it, with and without somebody's leave.
    """

    old: str
    change: Change
    values: tuple[Value, ...]
    served: dict[str, str]
    overridden: tuple[Objection, ...] = ()
    standing: tuple[Objection, ...] = ()

    def refuse(self) -> None:
        """Raise RefusedError, naming every objection that nobody has overridden, and how one does."""
        if self.standing:
            raise RefusedError("not promoted: " + "; ".join(map(str, self.standing)))


def propose(
    clone: Clone,
    environment: Environment,
    candidate: Candidate,
    overrides: Overrides,
    cluster: Cluster | None = None,
) -> Proposal:
    """The commit that promotes the candidate on the clone's head; ``cluster``: asked whether it is being upgraded.

    Raises InputError when the file cannot be edited safely, or the overlay built from it would serve something else.
    """
    text = required(clone, environment.file)
    served = named_bundle(environment, text)
    bundle = coordinates(candidate.version)
    edit = promote_text(text, bundle, target(environment))
    if not edit.changes:
        return Proposal(text, Change(environment.file, text, ""), (), served)
    refuse_bad_overlay(clone, target(environment), edit.text)
    found = objections(_evidence(clone, environment, candidate, served, cluster))
    overridden = tuple(one for one in found if overrides.cover(one))
    standing = tuple(one for one in found if not overrides.cover(one))
    message = promotion_message(environment.name, bundle, served, _facts(candidate, overridden, overrides.reason))
    return Proposal(text, Change(environment.file, edit.text, message), edit.changes, served, overridden, standing)


def refuse_superseding(before: Proposal, now: Proposal, candidate: Candidate) -> None:
    """Raise RolloutError when somebody else promoted another bundle since ``before``."""
    old, new, ours = before.served.get("digest", ""), now.served.get("digest", ""), candidate.version.digest
    if new not in (old, ours):
        theirs = f"{now.served.get('model')} version {now.served.get('version')}, sha256:{new[:12]}"
        mine = f"version {candidate.version.version}, sha256:{ours[:12]}"
        raise RolloutError(f"superseded: meanwhile somebody else promoted {theirs}; not written over with {mine}")


def _evidence(
    clone: Clone, environment: Environment, candidate: Candidate, served: dict[str, str], cluster: Cluster | None
) -> Evidence:
    version = candidate.version
    requests, unreadable = _served_requests(environment, served)
    hold = clone.read(hold_file(environment.file))
    return Evidence(
        version.version,
        environment.name,
        version.tags.get(GATE, ""),
        candidate.challenger,
        candidate.needs,
        requests,
        unreadable,
        version.tags.get(rolled_back_tag(environment.name), ""),
        None if hold is None else read_hold(hold),
        *_upgrade(cluster),
    )


def _upgrade(cluster: Cluster | None) -> tuple[str, str]:
    """The upgrade of the cluster that is under way, and why nobody can say; both "" for none."""
    try:
        return ("" if cluster is None else upgrade(cluster().view())), ""
    except VigiaError as error:
        return "", str(error)


def _served_requests(environment: Environment, served: dict[str, str]) -> tuple[Requests | None, str]:
    if not served.get("digest"):
        return None, ""
    try:
        bundle = load(environment, served.get("uri", ""), served["digest"])
    except (InputError, UnreachableError) as error:
        return None, f"the bundle that {environment.name} names does not load ({error})"
    return requests_of(bundle), ""


def _facts(candidate: Candidate, overridden: tuple[Objection, ...], reason: str) -> Facts:
    tags, gate = candidate.version.tags, candidate.version.tags.get(GATE, "")
    return Facts(
        candidate.version.run_id,
        tags.get("data_fingerprint", ""),
        tags.get("commit", ""),
        gate,
        tuple(line for line in tags.get(GATE_REASONS, "").splitlines() if line.strip()),
        tuple(one.sentence for one in overridden),
        reason,
        forced=gate not in ADMITTED and any(one.way == "force" for one in overridden),
    )
