"""``quarantine.parquet``: invalid rows with their columns and ``rules``, the names of those they broke."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from types import TracebackType

import pyarrow as pa
import pyarrow.parquet as pq

from evaluation.validation.validate import JudgedBlock
from features.errors import UnreachableError


class QuarantineFile:
    """The file appears whole at the end, or not at all: without invalid rows, or after an error."""

    def __init__(self, file: Path) -> None:
        self._file, self._staging = file, file.with_name(f".{file.name}")
        self._writer: pq.ParquetWriter | None = None
        self.written: Path | None = None

    def __enter__(self) -> "QuarantineFile":
        return self

    def add(self, block: JudgedBlock) -> None:
        """Write the invalid rows of one block."""
        invalid = ~block.valid
        if not invalid.any():
            return
        kept = pa.Table.from_batches([block.original]).filter(pa.array(invalid))
        name = next(name for k in count() if (name := f"rules_{k}" if k else "rules") not in kept.column_names)
        rules = pa.array(block.rules[invalid].tolist(), pa.list_(pa.string()))
        table = kept.append_column(name, rules)
        with _translated(self._file):
            if self._writer is None:
                self._writer = pq.ParquetWriter(self._staging, table.schema)
            self._writer.write_table(table)

    def __exit__(self, kind: type[BaseException] | None, _error: BaseException | None, _: TracebackType | None) -> None:
        if self._writer is None:
            return
        try:
            with _translated(self._file):
                self._writer.close()
                if kind is None:
                    os.replace(self._staging, self._file)
                    self.written = self._file
        finally:
            self._staging.unlink(missing_ok=True)


@contextmanager
def _translated(file: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise UnreachableError(f"{file}: {error.strerror or error}") from error
