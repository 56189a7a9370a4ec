"""What an application is told: arguments, which need new replicas, and ``user_config``, which running ones follow.

Every key is known, typed and ranged; a mistake names the key, the rule and the value.
"""

from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import Meta

from features.errors import InputError
from serving.messages import MAX_ROWS

_MIB = 2**20


class BundleRef(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A published bundle as ``user_config`` names it; empty where nothing was promoted."""

    uri: str = ""
    digest: str = ""
    model: str = ""
    version: str = ""


class Limits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What one request may hold: bytes of its body, rows of its data; body_s: seconds that the body may take."""

    body_bytes: Annotated[int, Meta(ge=1_024, le=64 * _MIB)] = 8 * _MIB
    rows: Annotated[int, Meta(ge=1, le=MAX_ROWS)] = MAX_ROWS
    body_s: Annotated[float, Meta(ge=0.1, le=3_600)] = 60.0


class LogSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The prediction log; there is none without a ``uri``, a folder or ``s3://bucket/prefix``.

    sample: share of the requests that is logged, by their ids; flush_s: seconds between files; queue_rows: how many
    rows may wait in memory while the store is away; keep_days: older days are deleted, 0 keeps all.
    """

    uri: str = ""
    sample: Annotated[float, Meta(ge=0, le=1)] = 1.0
    flush_s: Annotated[float, Meta(ge=0.1, le=3_600)] = 30.0
    queue_rows: Annotated[int, Meta(ge=100, le=10_000_000)] = 100_000
    keep_days: Annotated[int, Meta(ge=0, le=36_500)] = 0


class UserConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``user_config``: the bundle to serve, and the one to fall back on when a replica starts.

    lineage: address of a page about a version, with {model}, {version} and {digest} in it; empty for none.
    """

    bundle: BundleRef | None = None
    previous: BundleRef | None = None
    limits: Limits = Limits()
    log: LogSettings = LogSettings()
    lineage: str = ""


class StoreSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An S3 store that is not Amazon's: ``http://host:port``; credentials come from the AWS_* variables or profile."""

    endpoint: str = ""
    region: str = ""


class CacheSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where a node keeps bundles and the journals of its prediction logs: a folder, the temporary one where empty."""

    folder: str = ""
    max_bytes: Annotated[int, Meta(ge=_MIB)] = 4_096 * _MIB


class Arguments(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``args`` of the application."""

    store: StoreSettings = StoreSettings()
    cache: CacheSettings = CacheSettings()


Settings = TypeVar("Settings", UserConfig, Arguments)


def read_settings(given: Any, kind: type[Settings], field: str) -> Settings:
    """``given`` as settings; ``field`` is what messages call it. Raises InputError naming key and rule."""
    try:
        return msgspec.convert(given, kind, strict=False)
    except msgspec.ValidationError as error:
        rule, _, path = str(error).partition(" - at `$")
        where = field + path.rstrip("`")
        raise InputError(where, rule[:1].lower() + rule[1:]) from error
