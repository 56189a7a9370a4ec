"""The one way to data: a URI in, Arrow blocks out."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import pyarrow as pa

from features.errors import InputError
from features.sources.postgres import open_postgres
from features.sources.simulated import open_fleet
from features.sources.tables import open_table
from features.storage import open_filesystem

_SECRET_PARAMETERS = ("password=", "sslpassword=")


@dataclass(frozen=True)
class Access:
    """How to get at the rows of a URI.

    separator: of CSV files, sniffed without; endpoint, region: of an S3 server; cache: folder for what is costly to
    make again; block_rows: rows of a block at most; timeout_s: for a platform to connect or to send its next byte.
    """

    separator: str | None = None
    endpoint: str | None = None
    region: str | None = None
    cache: Path | None = None
    block_rows: int = 250_000
    timeout_s: float = 10.0


class Source(Protocol):
    """A table that is read block by block, as often as needed: the same rows in the same order each time."""

    @property
    def uri(self) -> str:
        """Where the rows are from; never holds a secret."""
        ...

    @property
    def simulated(self) -> bool:
        """True when no machine ever produced these rows; every page and summary says so."""
        ...

    @property
    def schema(self) -> pa.Schema:
        """Column names and logical types; the blocks of a CSV hold the same columns as text."""
        ...

    def blocks(self, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        """The rows with these columns in this order. Raises InputError, or UnreachableError when a platform is away."""
        ...


def open_source(uri: str, access: Access = Access()) -> Source:
    """Open ``data.uri``: CSV or Parquet (path, ``file://``, ``s3://``), ``postgresql://`` or ``fleet://``.

    Raises InputError for what cannot be opened as given, UnreachableError when a platform did not answer.
    """
    refuse_secrets(uri)
    scheme = uri.partition("://")[0] if "://" in uri else ""
    if scheme == "fleet":
        return open_fleet(uri, access.cache)
    if scheme in ("postgresql", "postgres"):
        return open_postgres(uri, access.block_rows, access.timeout_s)
    if scheme in ("", "file", "s3"):
        filesystem, path = open_filesystem(
            uri, endpoint=access.endpoint, region=access.region, timeout_s=access.timeout_s
        )
        return open_table(uri, filesystem, path, access.separator, access.block_rows)
    rule = "must be a path or start with file://, s3://, postgresql:// or fleet://"
    raise InputError("data.uri", rule, f"{scheme}://")


def refuse_secrets(uri: str) -> None:
    """Raises InputError, which does not repeat it, when a URI holds a password."""
    scheme, _, rest = uri.partition("://")
    where, _, query = rest.partition("?")
    if scheme == "s3":  # a key may hold any sign
        where = where.partition("/")[0]
    user = where.rpartition("@")[0]
    if ":" in user or any(part.lower().startswith(_SECRET_PARAMETERS) for part in query.split("&")):
        raise InputError(
            "data.uri",
            "must not hold a password, as it is written to logs, configuration and the registry; "
            "use PGPASSWORD or ~/.pgpass (for s3:// the AWS_* variables or the AWS profile)",
            f"{scheme}://…",
        )
