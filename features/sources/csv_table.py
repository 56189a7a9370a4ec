"""CSV files of one table: separator, header and logical types, and their cells as text, as they are written."""

import codecs
import csv
import io
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import islice

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pcsv
import pyarrow.fs as fs

from features.errors import InputError
from features.sources.batches import cut
from features.sources.columns import refuse_differing, refuse_repeated
from features.storage import address, reading
from features.typed import infer_types

SEPARATORS = ",;\t|"
MISSING = ("", "NA", "N/A", "NaN", "nan", "null", "NULL", "None")
"""How a missing cell may be written."""

_HEAD_BYTES = 1 << 20
_BLOCK_BYTES = 1 << 22
_RAGGED = re.compile(r"Row #(\d+): Expected (\d+) columns, got (\d+)")
_DECIMAL_COMMA = r"^\s*[+-]?\d+,\d+\s*$"


@dataclass(frozen=True)
class CsvSource:
    """Rows of CSV files, file by file in the order given; ``schema`` holds logical types, blocks hold text or null."""

    uri: str
    schema: pa.Schema
    filesystem: fs.FileSystem
    files: tuple[str, ...]
    separator: str
    block_rows: int
    simulated: bool = False

    def blocks(self, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        """Blocks of block_rows rows, every column as text, MISSING as null."""
        return cut(self._read(list(columns)), self.block_rows)

    def _read(self, columns: list[str]) -> Iterator[pa.RecordBatch]:
        for file in self.files:
            where = address(self.filesystem, file)
            with _cells(where), _open(self.filesystem, file, self.separator, self.schema.names, columns) as reader:
                yield from reader


def open_csv(
    uri: str, filesystem: fs.FileSystem, files: tuple[str, ...], separator: str | None, block_rows: int
) -> CsvSource:
    """Read the header and the first block of every file: UTF-8, compressed if it ends with .gz.

    Columns are matched by name. Types are those of ``infer_types``; where files disagree on a column, it is text.
    Raises InputError naming the file and what is wrong with it.
    """
    start = address(filesystem, files[0])
    with _cells(start), filesystem.open_input_stream(files[0]) as stream:
        head = _decode(start, stream.read(_HEAD_BYTES))
    separator = separator or _sniff(head)
    with _cells(start), _open(filesystem, files[0], separator, (), None) as reader:
        names = reader.schema.names
    kinds: dict[str, set[pa.DataType]] = {name: set() for name in names}
    for file in files:
        where = address(filesystem, file)
        with _cells(where), _open(filesystem, file, separator, names, None) as reader:
            refuse_repeated(where, reader.schema.names)
            refuse_differing(start, names, where, reader.schema.names)
            for first in islice(reader, 1):
                for field, column in zip(infer_types(first), first.columns, strict=True):
                    if column.null_count < len(column):
                        kinds[field.name].add(field.type)
                        _refuse_decimal_comma(where, field, column, separator)
    schema = pa.schema([(name, _joint(found)) for name, found in kinds.items()])
    return CsvSource(uri, schema, filesystem, files, separator, block_rows)


@contextmanager
def _open(
    filesystem: fs.FileSystem, file: str, separator: str, names: Sequence[str], columns: list[str] | None
) -> Iterator[pcsv.CSVStreamingReader]:
    with filesystem.open_input_stream(file) as stream:
        yield pcsv.open_csv(
            stream,
            # One thread: a broken row is then reported with its number.
            pcsv.ReadOptions(block_size=_BLOCK_BYTES, use_threads=False),
            pcsv.ParseOptions(delimiter=separator, newlines_in_values=True),
            pcsv.ConvertOptions(
                column_types={name: pa.string() for name in names},
                include_columns=columns,
                null_values=MISSING,
                strings_can_be_null=True,
            ),
        )


@contextmanager
def _cells(file: str) -> Iterator[None]:
    """Translate what the CSV reader says of the file's content."""
    with reading(file):
        try:
            yield
        except pa.ArrowInvalid as error:
            if found := _RAGGED.search(str(error)):
                row, expected, got = found.groups()
                rule = f"row {row} of {file} (the header is row 1) must have {expected} cells as the header"
                raise InputError("data.uri", rule, int(got)) from error
            if "Empty CSV file" in str(error):
                raise InputError("data.uri", "must have a header and rows; the file is empty", file) from error
            if "invalid UTF8" in str(error):
                raise InputError("data.uri", "must be UTF-8 text throughout; convert it", file) from error
            if "straddling" in str(error):
                rule = f"a row must have less than {_BLOCK_BYTES >> 20} MiB; is a quote left open?"
                raise InputError("data.uri", rule, file) from error
            raise


_OTHERS = {
    b"PAR1": "Parquet: name it .parquet",
    b"\x1f\x8b": "gzip: name it .csv.gz",
    b"PK\x03\x04": "a zip or Excel file",
}


def _decode(file: str, head: bytes) -> str:
    try:
        return codecs.getincrementaldecoder("utf-8-sig")().decode(head)
    except UnicodeDecodeError as error:
        other = next((name for magic, name in _OTHERS.items() if head.startswith(magic)), None)
        if other:
            raise InputError("data.uri", f"must be CSV by its name, but holds {other}", file) from error
        utf16 = head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or b"\0" in head
        guess = "UTF-16" if utf16 else "Latin-1 or Windows-1252"
        raise InputError("data.uri", f"must be UTF-8 text (this looks like {guess}); convert it", file) from error


def _sniff(head: str) -> str:
    """The separator that cuts the first rows into most cells, the same number in each if any does."""
    whole = head[: head.rfind("\n") + 1] or head

    def quality(separator: str) -> tuple[bool, int]:
        rows = csv.reader(io.StringIO(whole, newline=""), delimiter=separator)
        widths: list[int] = []
        with suppress(csv.Error):  # a cell of more than 128 KiB: a quote left open, or lines that this does not cut
            for row in islice(rows, 20):
                widths += [len(row)] if row else []
        return len(set(widths)) == 1 and widths[0] > 1, max(widths, default=0)

    return max(SEPARATORS, key=quality)


def _joint(kinds: set[pa.DataType]) -> pa.DataType:
    if not kinds:
        return pa.null()
    return kinds.pop() if len(kinds) == 1 else pa.string()


def _refuse_decimal_comma(file: str, field: pa.Field, column: pa.Array, separator: str) -> None:
    """Numbers such as 1,5 would silently be texts."""
    if separator == "," or not pa.types.is_string(field.type):
        return
    known = column.drop_null()
    if pc.all(pc.match_substring_regex(known, _DECIMAL_COMMA)).as_py():
        rule = f"column {field.name!r} of {file} must be written with decimal points, not commas"
        raise InputError("data.uri", rule, known[0].as_py())
