"""What Argo CD says of an Application; for people who look for a reason, never for a verdict."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from features.errors import UnreachableError


@dataclass(frozen=True)
class Sync:
    """status: Synced or OutOfSync, as compared with ``revision``; phase, message: of the last operation."""

    name: str
    status: str = ""
    revision: str = ""
    health: str = ""
    phase: str = ""
    message: str = ""


class _Stated(msgspec.Struct):
    status: str = ""
    revision: str = ""


class _Operation(msgspec.Struct):
    phase: str = ""
    message: str = ""


class _Status(msgspec.Struct, rename="camel"):
    sync: _Stated = msgspec.field(default_factory=_Stated)
    health: _Stated = msgspec.field(default_factory=_Stated)
    operation_state: _Operation = msgspec.field(default_factory=_Operation)


class _Meta(msgspec.Struct):
    name: str


class _Application(msgspec.Struct):
    metadata: _Meta
    status: _Status = msgspec.field(default_factory=_Status)


def read_sync(found: Mapping[str, Any]) -> Sync:
    """An Application object. Raises UnreachableError for what Argo CD never writes."""
    try:
        seen = msgspec.convert(found, _Application)
    except msgspec.ValidationError as error:
        raise UnreachableError(f"an Application of Argo CD cannot be understood: {error}") from error
    status, last = seen.status, seen.status.operation_state
    return Sync(
        seen.metadata.name, status.sync.status, status.sync.revision, status.health.status, last.phase, last.message
    )
