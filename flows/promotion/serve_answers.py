"""What Ray Serve's REST API and the replicas answer, as values."""

from dataclasses import dataclass
from typing import Any, TypeVar

import msgspec

from features.errors import UnreachableError
from flows.promotion.observation import Replica
from serving.failure import Failure, Kind

_Answer = TypeVar("_Answer", bound=msgspec.Struct)
_LONGEST = 300
_ROUTED = ("RUNNING", "PENDING_MIGRATION")  # the latter on a node that drains: it gets requests, and no configuration


@dataclass(frozen=True)
class Application:
    """Serve's view of one application. applied: digest in the configuration it has; running: who gets requests."""

    status: str = ""
    message: str = ""
    applied: str = ""
    running: frozenset[str] = frozenset()


class _Bundle(msgspec.Struct):
    digest: str = ""


class _UserConfig(msgspec.Struct):
    bundle: _Bundle | None = None


class _Configured(msgspec.Struct):
    name: str
    user_config: _UserConfig | None = None


class _Config(msgspec.Struct):
    deployments: list[_Configured] = []


class _Replica(msgspec.Struct):
    replica_id: str
    state: str


class _Deployment(msgspec.Struct):
    message: str = ""
    replicas: list[_Replica] = []


class _Application(msgspec.Struct):
    status: str
    message: str = ""
    deployed_app_config: _Config | None = None
    deployments: dict[str, _Deployment] = {}


class _State(msgspec.Struct):
    replica: str = ""
    served: str = ""
    desired: str = ""
    since: float | None = None
    error: str = ""
    error_kind: str = ""
    error_digest: str = ""


def read_application(found: dict[str, Any], deployment: str) -> Application:
    """One entry of ``applications`` in Serve's answer; an empty one is an application that does not exist.

    Raises UnreachableError for what Serve never answers.
    """
    if not found:
        return Application()
    answer = _understood(found, _Application)
    state = answer.deployments.get(deployment, _Deployment())
    running = frozenset(replica.replica_id for replica in state.replicas if replica.state in _ROUTED)
    applied = _digest(answer.deployed_app_config or _Config(), deployment)
    return Application(answer.status, state.message or answer.message, applied, running)


def named_digest(application: dict[str, Any], deployment: str) -> str:
    """The digest in the configuration of one application, "" where it names none. Raises UnreachableError."""
    return _digest(_understood(application, _Config), deployment)


def read_replica(found: dict[str, Any]) -> Replica:
    """One entry of ``replicas`` in the answer of ``/model?fleet=1``; one without a name is one that did not answer."""
    state = _understood(found, _State)
    failure = None
    if state.error and state.replica:
        kind = Kind(state.error_kind) if state.error_kind in set(Kind) else Kind.OTHER
        failure = Failure(state.error_digest, kind, state.error)
    silent = "" if state.replica else state.error or "it gave no name"
    return Replica(state.replica, state.served, state.desired, failure, silent, state.since)


def ending(message: str) -> str:
    """The last lines of a message of Serve, where a traceback says what it was."""
    lines = [line.strip() for line in message.splitlines() if line.strip()]
    return " ".join(lines[-2:])[-_LONGEST:]


def _digest(config: _Config, deployment: str) -> str:
    named = [entry for entry in config.deployments if entry.name == deployment]
    bundle = named[0].user_config.bundle if named and named[0].user_config else None
    return bundle.digest if bundle else ""


def _understood(found: dict[str, Any], kind: type[_Answer]) -> _Answer:
    try:
        return msgspec.convert(found, kind)
    except msgspec.ValidationError as error:
        raise UnreachableError(f"an answer of Serve cannot be understood: {error}") from error
