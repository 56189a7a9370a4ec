"""Rows as an Arrow IPC stream, and verdicts as one: for clients that send many at once."""

import struct

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from features.errors import InputError
from serving.loading import Served
from serving.manifest import Manifest
from serving.messages import MAX_NAME, MAX_ROWS
from serving.predict import Judged, named_columns, stratum_names
from serving.requests import Asked, few, finite, placed

_NAMES = ("series", "regime")


def read_arrow(body: bytes, manifest: Manifest) -> Asked:
    """Rows of a stream: a numeric column for each feature by name; ``series`` and ``regime``, text, where given.

    Raises InputError naming the column for anything else, and for a stream that is malformed or compressed.
    """
    table = _table(body)
    wanted = [*manifest.features, *(name for name in _NAMES if name not in manifest.features)]
    for name in table.column_names:
        if name not in wanted or table.column_names.count(name) > 1:
            raise InputError("data", f"must have each of {', '.join(wanted)} once and no other column", name)
    values = np.empty((len(table), len(manifest.features)))
    for number, name in enumerate(manifest.features):
        if name not in table.column_names:
            raise InputError("data", f"must have the columns {', '.join(manifest.features)}", table.column_names)
        values[:, number] = _numbers(table[name], name)
    finite(values, manifest.features, lambda row: f"data[{row}]")
    texts = [_texts(table, name) if name not in manifest.features else None for name in _NAMES]
    return placed(values, manifest, None, *texts)


def encode_arrow(judged: Judged, served: Served) -> bytes:
    """A stream with score (float32), alert, p_value and severity; baseline and out_of_range where JSON has them.

    The model's name, version and digest are the metadata of the schema; what was not scored is null.
    """
    missing = None if judged.scored is None else ~judged.scored
    columns = {
        "score": pa.array(judged.scores, mask=missing),
        "alert": pa.array(judged.alerts),
        "p_value": pa.array(judged.p_values, mask=missing),
        "severity": pa.array(judged.severity, mask=missing, from_pandas=True),
    }
    if judged.at is not None:
        columns["baseline"] = pa.array(stratum_names(judged), pa.string())
    if judged.out_of_range is not None:
        names = named_columns(judged.out_of_range, served.bundle.manifest.features)
        columns["out_of_range"] = pa.array(names, pa.list_(pa.string()))
    about = {"model": served.ref.model, "version": served.ref.version, "digest": served.bundle.digest}
    table = pa.table(columns).replace_schema_metadata(about)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    content: bytes = sink.getvalue().to_pybytes()
    return content


def _table(body: bytes) -> pa.Table:
    try:
        _refuse_large(body)
        table = pa.ipc.open_stream(body).read_all()
        few(table)
        table.validate(full=True)
    except (pa.ArrowException, OSError, ValueError, struct.error) as error:
        raise InputError("data", f"must be an Arrow IPC stream ({str(error).splitlines()[0][:200]})") from error
    return table


def _refuse_large(body: bytes) -> None:
    """Raise InputError before a stream unpacks to more than it weighs: for compressed and for endless batches."""
    reader, total = pa.ipc.MessageReader.open_stream(body), 0
    while True:
        try:
            message = reader.read_next_message()
        except StopIteration:
            return
        if message.type not in ("record batch", "dictionary"):
            continue
        head = message.metadata.to_pybytes()
        table = _follow(head, _entry(head, struct.unpack_from("<I", head)[0], 2))  # Message.header
        if message.type == "dictionary":
            table = _follow(head, _entry(head, table, 1))  # DictionaryBatch.data
        length, compression = _entry(head, table, 0), _entry(head, table, 3)  # of RecordBatch
        total += struct.unpack_from("<q", head, length)[0] if length else 0
        if compression:
            raise InputError("data", "must not be compressed")
        if total > 2 * MAX_ROWS:  # rows, and as many entries of dictionaries
            raise InputError("data", f"must have 1 to {MAX_ROWS:,} rows", total)


def _entry(head: bytes, table: int, number: int) -> int:
    """Where a flatbuffer's table keeps an entry; 0 where it has none (https://flatbuffers.dev/internals)."""
    vtable = table - struct.unpack_from("<i", head, table)[0]
    slot = 4 + 2 * number
    if slot >= struct.unpack_from("<H", head, vtable)[0]:
        return 0
    offset = struct.unpack_from("<H", head, vtable + slot)[0]
    return table + offset if offset else 0


def _follow(head: bytes, place: int) -> int:
    return int(place + struct.unpack_from("<I", head, place)[0])


def _numbers(column: pa.ChunkedArray, name: str) -> NDArray[np.float64]:
    if not (pa.types.is_floating(column.type) or pa.types.is_integer(column.type)):
        raise InputError(f"data.{name}", "must be a column of numbers", str(column.type))
    if column.null_count:
        row = int(np.flatnonzero(column.is_null().to_numpy())[0])
        raise InputError(f"data[{row}].{name}", f"{name} must not be null")
    return np.asarray(column.to_numpy(), np.float64)


def _texts(table: pa.Table, name: str) -> list[str | None] | None:
    if name not in table.column_names:
        return None
    column = table[name]
    kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
    if not (pa.types.is_string(kind) or pa.types.is_large_string(kind)):
        raise InputError(f"data.{name}", "must be a column of text", str(column.type))
    found: list[str | None] = []
    for chunk in column.chunks:
        for text in _entries(chunk):
            if text is not None and len(text) > MAX_NAME:
                rule = f"must have at most {MAX_NAME:,} characters"
                raise InputError(f"data[{len(found)}].{name}", rule, len(text))
            found.append(text)
    return found


def _entries(chunk: pa.Array) -> list[str | None]:
    """Its texts. Of a dictionary each one once and only those in use: one may be as long as the body, or they many."""
    if not pa.types.is_dictionary(chunk.type):
        plain: list[str | None] = chunk.to_pylist()
        return plain
    used = chunk.indices.unique()
    known = dict(zip(used.to_pylist(), chunk.dictionary.take(used).to_pylist(), strict=True))
    return [known[at] for at in chunk.indices.to_pylist()]
