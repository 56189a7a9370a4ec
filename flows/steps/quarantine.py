"""``quarantine.parquet``: invalid rows with their original columns and the rules they broke, written as blocks come."""

import os
from pathlib import Path
from types import TracebackType

import pyarrow as pa
import pyarrow.parquet as pq

from evaluation.validation.validate import JudgedBlock


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
        table = pa.Table.from_batches([block.original]).append_column("rules", pa.array(block.rules, pa.string()))
        if self._writer is None:
            self._writer = pq.ParquetWriter(self._staging, table.schema)
        self._writer.write_table(table.filter(pa.array(invalid)))

    def __exit__(self, kind: type[BaseException] | None, _error: BaseException | None, _: TracebackType | None) -> None:
        if self._writer is None:
            return
        self._writer.close()
        if kind is None:
            os.replace(self._staging, self._file)
            self.written = self._file
        else:
            self._staging.unlink()
