"""CSV and Parquet: a file, a folder or a glob, read as Arrow blocks."""

import glob
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.csv as pc
import pyarrow.dataset as ds

from features.errors import InputError
from features.storage import local_path

SEPARATORS = ",;\t|"
BLOCK_ROWS = 250_000


@dataclass(frozen=True)
class TableSource:
    """Rows of one dataset; ``simulated`` is part of the source protocol."""

    uri: str
    dataset: ds.Dataset
    simulated: bool = False

    @property
    def schema(self) -> pa.Schema:
        """Column names and Arrow types."""
        return self.dataset.schema

    def blocks(self, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        """Batches of at most BLOCK_ROWS rows with the given columns, in file order."""
        try:
            yield from self.dataset.to_batches(columns=list(columns), batch_size=BLOCK_ROWS)
        except (pa.ArrowException, OSError) as error:
            raise InputError("data.uri", f"cannot be read: {_first_line(error)}", self.uri) from error


def open_table(uri: str, separator: str | None) -> TableSource:
    """Open a table by its ending (.parquet, else CSV). Raises InputError for a missing or unreadable file."""
    path = local_path(uri)
    if path.is_dir():
        files = sorted(p for kind in ("*.parquet", "*.csv") for p in path.rglob(kind))
    else:
        files = [path] if path.is_file() else sorted(type(path)(name) for name in glob.glob(str(path)))
    if not files:
        raise InputError("data.uri", "must name an existing .parquet or .csv file, folder or glob", uri)
    kinds = {p.suffix.lower() for p in files}
    if len(kinds) > 1:
        raise InputError("data.uri", "all files must be of one kind", sorted(kinds))
    try:
        if kinds == {".parquet"}:
            form: ds.FileFormat = ds.ParquetFileFormat()
        else:
            with files[0].open(encoding="utf-8-sig") as lines:
                sniffed = separator or _sniff(lines.readline())
            form = ds.CsvFileFormat(parse_options=pc.ParseOptions(delimiter=sniffed))
        return TableSource(uri, ds.dataset([str(p) for p in files], format=form))
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise InputError("data.uri", f"cannot be read: {_first_line(error)}", uri) from error


def _sniff(header: str) -> str:
    return max(SEPARATORS, key=header.count)


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0]
