"""Record batches of a size that the caller, and not the format, decides."""

from collections.abc import Iterable, Iterator

import pyarrow as pa


def cut(batches: Iterable[pa.RecordBatch], rows: int) -> Iterator[pa.RecordBatch]:
    """The same rows in the same order, in batches of ``rows`` rows; the last one may be smaller, none is empty."""
    held: list[pa.RecordBatch] = []
    missing = rows
    for batch in batches:
        rest = batch
        while rest.num_rows:
            held.append(rest.slice(0, missing))
            missing -= held[-1].num_rows
            rest = rest.slice(held[-1].num_rows)
            if not missing:
                yield pa.concat_batches(held)
                held, missing = [], rows
    if held:
        yield pa.concat_batches(held)
