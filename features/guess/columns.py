"""One column of a sample: the words of its name, and the facts about its cells that tell which role it can play."""

import re
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from features.schema import Schema, is_numeric, is_text
from features.typed import Clock, infer_types, judgement, type_block

Kind = Literal["number", "truth", "time", "text", "list", "other"]


@dataclass(frozen=True)
class Column:
    """n cells as they are read, and what kind of cell they are; numbers and times of a CSV are read as text."""

    name: str
    kind: Kind
    cells: pa.Array

    def __len__(self) -> int:
        return len(self.cells)

    @cached_property
    def words(self) -> tuple[str, ...]:
        """Lower-case words of the name: ``machineID 2`` is machine, id, 2."""
        apart = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", self.name)
        return tuple(re.findall(r"[^\W\d_]+|\d+", apart.lower()))

    @cached_property
    def codes(self) -> NDArray[np.int64]:
        """(n,) one number a distinct text of a cell, -1 where it is missing."""
        encoded = pc.cast(self.cells, pa.string()).dictionary_encode()
        return np.asarray(pc.fill_null(encoded.indices, -1).to_numpy(zero_copy_only=False)).astype(np.int64)

    @cached_property
    def known(self) -> int:
        """Cells that hold something."""
        return len(self.cells) - int(self.cells.null_count)

    @cached_property
    def distinct(self) -> int:
        """Distinct texts among the cells."""
        return int(self.codes.max(initial=-1)) + 1

    @cached_property
    def numbers(self) -> NDArray[np.float64]:
        """(n,) float64, NaN where a cell is missing or no number; a text may hold a number."""
        block = pa.record_batch([self.cells], names=[self.name])
        return type_block(block, Schema((self.name,)), Clock()).values[:, 0]

    @cached_property
    def judgements(self) -> NDArray[np.float64]:
        """(n,) its cells as labels: as ``numbers``, and yes is 1, no is 0."""
        return replace(self, cells=judgement(self.cells)).numbers

    @cached_property
    def finite(self) -> NDArray[np.float64]:
        """The finite numbers among the cells, in order of the rows."""
        return np.asarray(self.numbers[np.isfinite(self.numbers)])

    @cached_property
    def whole(self) -> bool:
        """True where all numbers are whole."""
        return self.kind == "number" and bool(len(self.finite)) and bool(np.all(self.finite == np.rint(self.finite)))

    @cached_property
    def looks(self) -> Kind:
        """What most of its texts are, of a text column; else its kind."""
        if self.kind != "text" or not self.known:
            return self.kind
        return _kind(infer_types(pa.record_batch([self.cells], names=[self.name])).field(0).type)


def columns_of(schema: pa.Schema, sample: pa.RecordBatch) -> list[Column]:
    """Every column of ``schema``, without its cells where they are not plain or not in the sample."""
    read = {*readable(schema)} & {*sample.schema.names}
    return [
        Column(f.name, _kind(f.type), sample.column(f.name) if f.name in read else pa.nulls(0, f.type)) for f in schema
    ]


def readable(schema: pa.Schema) -> list[str]:
    """Names of the columns whose cells can tell a role; waveforms need not be read for that."""
    return [field.name for field in schema if _kind(field.type) not in ("list", "other")]


def _kind(kind: pa.DataType) -> Kind:
    types = pa.types
    if types.is_boolean(kind):
        return "truth"
    if is_numeric(kind) or types.is_null(kind):
        return "number"
    if types.is_timestamp(kind) or types.is_date(kind):
        return "time"
    if is_text(kind):
        return "text"
    return "list" if types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind) else "other"
