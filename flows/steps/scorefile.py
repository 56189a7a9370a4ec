"""The file of scores: written block by block, complete or not there."""

import os
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from features.errors import InputError


class ScoreFile:
    """A Parquet file that appears in one step when it is finished; nothing is left of one that is not."""

    def __init__(self, file: Path, metadata: Mapping[str, str]) -> None:
        self._file, self._metadata = file, dict(metadata)
        self._staging = [file.with_name(f".{file.name}.{secrets.token_hex(4)}") for _ in range(2)]
        self._writer: pq.ParquetWriter | None = None

    def __enter__(self) -> "ScoreFile":
        with _translated(self._file):
            self._file.parent.mkdir(parents=True, exist_ok=True)
        return self

    def add(self, table: pa.Table) -> None:
        """Append the rows of a block."""
        with _translated(self._file):
            if self._writer is None:
                self._writer = pq.ParquetWriter(self._staging[0], table.schema.with_metadata(self._metadata))
            self._writer.write_table(table.replace_schema_metadata(self._metadata))

    def finish(self, onset: NDArray[np.bool_] | None, complete: NDArray[np.bool_]) -> None:
        """Put the file in its place; with (n,) ``onset`` as a column, null where not (n,) ``complete``, unless None.

        An onset depends on rows that may come later, so it is known only now: the rows pass by once more.
        """
        assert self._writer is not None
        with _translated(self._file):
            self._writer.close()
            done = self._staging[0]
            if onset is not None:
                done = self._staging[1]
                _append(self._staging[0], done, pa.array(onset, mask=~complete))
            os.replace(done, self._file)

    def __exit__(self, *_: object) -> None:
        if self._writer is not None:
            self._writer.close()
        for file in self._staging:
            if file.exists():
                file.unlink()


def _append(source: Path, target: Path, onset: pa.Array) -> None:
    with pq.ParquetFile(source) as old:
        schema, done = old.schema_arrow.append(pa.field("onset", pa.bool_())), 0
        with pq.ParquetWriter(target, schema) as new:
            for group in range(old.num_row_groups):
                part = old.read_row_group(group)
                whole = part.append_column("onset", onset.slice(done, len(part)))
                new.write_table(whole.replace_schema_metadata(schema.metadata))
                done += len(part)


@contextmanager
def _translated(file: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise InputError("--out", f"cannot be written ({error.strerror or error})", str(file)) from error
