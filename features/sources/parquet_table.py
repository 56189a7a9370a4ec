"""Parquet files of one table: their common schema, and their rows as blocks."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.fs as fs
import pyarrow.parquet as pq

from features.errors import InputError
from features.sources.batches import cut
from features.sources.columns import refuse_differing, refuse_repeated
from features.storage import address, reading


@dataclass(frozen=True)
class ParquetSource:
    """Rows of Parquet files, file by file in the order given."""

    uri: str
    schema: pa.Schema
    filesystem: fs.FileSystem
    files: tuple[str, ...]
    block_rows: int
    simulated: bool = False

    def blocks(self, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        """Blocks of block_rows rows, in the types of the schema."""
        return cut(self._read(list(columns)), self.block_rows)

    def _read(self, columns: list[str]) -> Iterator[pa.RecordBatch]:
        kinds = [self.schema.field(name).type for name in columns]
        for file in self.files:
            with reading(address(self.filesystem, file)), self.filesystem.open_input_file(file) as opened:
                for batch in pq.ParquetFile(opened, pre_buffer=True).iter_batches(self.block_rows, columns=columns):
                    arrays = [
                        batch.column(name).cast(kind, safe=False) for name, kind in zip(columns, kinds, strict=True)
                    ]
                    yield pa.record_batch(arrays, names=columns)


def open_parquet(uri: str, filesystem: fs.FileSystem, files: tuple[str, ...], block_rows: int) -> ParquetSource:
    """Read every footer. Raises InputError naming file and column where the files do not form one table."""
    common: dict[str, pa.DataType] = {}
    names = [address(filesystem, file) for file in files]
    for file, name in zip(files, names, strict=True):
        with reading(name):
            schema = pq.read_schema(file, filesystem=filesystem)
        refuse_repeated(name, schema.names)
        refuse_differing(names[0], list(common) or schema.names, name, schema.names)
        for field in schema:
            common[field.name] = _joint(name, field.name, common.get(field.name, pa.null()), _plain(field.type))
    kinds = {name: pa.float64() if pa.types.is_null(kind) else kind for name, kind in common.items()}
    return ParquetSource(uri, pa.schema(list(kinds.items())), filesystem, files, block_rows)


def _plain(kind: pa.DataType) -> pa.DataType:
    """The type without the encoding: no dictionaries, one kind of text; dates count as midnight."""
    if pa.types.is_dictionary(kind):
        return _plain(kind.value_type)
    if pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        return pa.string()
    return pa.timestamp("us") if pa.types.is_date(kind) else kind


def _joint(file: str, column: str, first: pa.DataType, other: pa.DataType) -> pa.DataType:
    """One type for both: wider integers, integers and floats as float64, anything with an all-null column."""
    schemas = [pa.schema([(column, kind)]) for kind in (first, other)]
    try:
        return pa.unify_schemas(schemas, promote_options="permissive").field(0).type
    except pa.ArrowTypeError as error:
        rule = f"column {column!r} of {file} must have the type of the files before it ({first})"
        raise InputError("data.uri", rule, str(other)) from error
