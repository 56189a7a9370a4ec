"""What a verification sees in one look at git, the controller, the replicas and the service."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from serving.failure import Failure


@dataclass(frozen=True)
class Head:
    """What a branch's head names. A promotion is known by its digest, never by its commit: merges make new commits."""

    commit: str = ""
    uri: str = ""
    digest: str = ""
    model: str = ""
    version: str = ""

    @property
    def bundle(self) -> dict[str, str]:
        """The values as a manifest holds them."""
        return {"uri": self.uri, "digest": self.digest, "model": self.model, "version": self.version}


def make_head(commit: str, leaves: Mapping[tuple[str, str], str]) -> Head:
    """The head with these values of a manifest (flows.promotion.edit.read_leaves)."""
    found = {key: leaves.get(("bundle", key), "") for key in ("uri", "digest", "model", "version")}
    return Head(commit, **found)


@dataclass(frozen=True)
class Replica:
    """What one replica says of itself; ``silent``: why it said nothing; ``since``: by its own clock, since 1970."""

    name: str
    served: str = ""
    desired: str = ""
    failure: Failure | None = None
    silent: str = ""
    since: float | None = None


class Content(StrEnum):
    """What the verifier itself found in the bundle store under the digest that git names."""

    INTACT = "intact"
    BROKEN = "broken"
    UNSEEN = "unseen"


@dataclass(frozen=True)
class Look:
    """One look at everything.

    at_s: seconds since the verification began, by a clock that never goes back. head: None when git did not answer.
    applied: digest in the configuration that the controller applied; status, message: Serve's, of the application.
    running: replicas that Serve gives requests; replicas: those that answered the question what they serve.
    answered: digest that answered a prediction through the request path.
    unsettled: what a cluster has still to do before it can serve what git names; upgrading: the upgrade that it is
    asked for, or why nobody can say whether it is (flows.promotion.ray_service).
    trouble: what could not be seen, empty when all could; refused: it was refused (401 or 403), so waiting is no use.
    """

    at_s: float
    head: Head | None
    applied: str = ""
    status: str = ""
    message: str = ""
    running: frozenset[str] = frozenset()
    replicas: tuple[Replica, ...] = ()
    answered: str = ""
    content: Content = Content.UNSEEN
    unsettled: str = ""
    upgrading: str = ""
    trouble: str = ""
    refused: bool = False
