"""The one way to data: a URI in, Arrow blocks out."""

from collections.abc import Iterator, Sequence
from typing import Protocol
from urllib.parse import urlsplit

import pyarrow as pa

from features.errors import InputError
from features.sources.simulated import open_fleet
from features.sources.tables import open_table


class Source(Protocol):
    """A table that is read once, block by block."""

    @property
    def uri(self) -> str: ...

    @property
    def simulated(self) -> bool:
        """True when no machine ever produced these rows; every page and summary says so."""
        ...

    @property
    def schema(self) -> pa.Schema: ...

    def blocks(self, columns: Sequence[str]) -> Iterator[pa.RecordBatch]: ...


def open_source(uri: str, *, separator: str | None = None) -> Source:
    """Open ``fleet://``, or a CSV or Parquet path. Raises InputError for an unknown scheme."""
    scheme = urlsplit(uri).scheme
    if scheme == "fleet":
        return open_fleet(uri)
    if scheme in ("", "file"):
        return open_table(uri, separator)
    raise InputError("data.uri", "must be a path, file:// or fleet://", uri)
