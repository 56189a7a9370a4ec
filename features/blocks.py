"""Arrow blocks of a steady size."""

from collections.abc import Iterable, Iterator

import pyarrow as pa


def coalesce(blocks: Iterable[pa.RecordBatch], rows: int) -> Iterator[pa.RecordBatch]:
    """Join neighbouring blocks until each holds at least ``rows`` rows (the last may hold fewer); order is kept."""
    waiting: list[pa.RecordBatch] = []
    held = 0
    for block in blocks:
        if block.num_rows:
            waiting.append(block)
            held += block.num_rows
        if held >= rows:
            yield pa.concat_batches(waiting)
            waiting, held = [], 0
    if waiting:
        yield pa.concat_batches(waiting)
