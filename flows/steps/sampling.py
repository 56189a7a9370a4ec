"""A seeded sample of the normal rows of a table or of a span of its time, block by block: memory does not grow with
the table."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import pyarrow.compute as pc
from numpy.typing import NDArray

from features.blocks import coalesce
from features.errors import InputError
from features.rows import OFF, Rows, from_blocks
from features.schema import Schema
from features.typed import Clock, TypedBlock, type_block
from flows.steps.table import Opened

_BLOCK_ROWS = 100_000


@dataclass(frozen=True)
class Span:
    """From ``start_us`` up to but without ``stop_us``, microseconds since 1970 UTC; None: no bound.

    last_us: in place of both, so many microseconds that end with the newest row of the table.
    """

    start_us: int | None = None
    stop_us: int | None = None
    last_us: int | None = None

    def holds(self, times: NDArray[np.int64]) -> NDArray[np.bool_]:
        """(n,) True where a time lies in it."""
        inside = np.ones(len(times), bool)
        if self.start_us is not None:
            inside &= times >= self.start_us
        if self.stop_us is not None:
            inside &= times < self.stop_us
        return inside

    def __str__(self) -> str:
        """In words, after what lies in it; "" without bounds."""
        start = "" if self.start_us is None else f" from {utc(self.start_us)} on"
        return start if self.stop_us is None else f"{start} before {utc(self.stop_us)}"


@dataclass(frozen=True)
class Sampled:
    """``rows`` of ``eligible`` rows of ``inside`` the span; the rest of those is left out for the first that applies:
    incomplete (a key or value is missing or mistyped), anomalous by label, of a machine at rest.

    span: by its bounds, where they were asked for by the newest row."""

    rows: Rows
    span: Span
    inside: int
    eligible: int
    incomplete: int
    anomalous: int
    at_rest: int


def sample_table(opened: Opened, span: Span, max_rows: int, seed: int) -> Sampled:
    """At most ``max_rows`` of the rows that may be compared: each as likely, the same for any cut into blocks.

    Raises InputError for a span without times, or naming the features that hold no number there.
    """
    schema = opened.schema
    if schema.timestamp is None and span != Span():
        asked = "--from, --to" if span.last_us is None else "--last"
        raise InputError(asked, "needs data.timestamp: the table has no column of times", None)
    if span.last_us is not None:
        newest = _newest(opened)
        span = Span() if newest is None else Span(start_us=newest - span.last_us + 1)
    rng, kept = np.random.default_rng(seed), _Lowest(max_rows)
    numbers, counts = np.zeros(len(schema.features), np.int64), np.zeros(5, np.int64)
    for block in _typed(opened):
        lots = rng.random(len(block))  # one a row, whatever becomes of it
        inside = block.has_time & span.holds(block.times) if block.times is not None else np.ones(len(block), bool)
        numbers += np.isfinite(block.values[inside]).sum(axis=0)
        left = inside.copy()
        for place, usable in enumerate((_complete(block, schema), _normal(block), _running(block)), start=2):
            counts[place] += np.sum(left & ~usable)
            left &= usable
        counts[:2] += np.sum(inside), np.sum(left)
        kept.add(block, lots, left)
    empty = [name for name, count in zip(schema.features, numbers, strict=True) if not count]
    if counts[0] and empty:
        raise InputError("data.features", "must hold numbers in the rows to compare; without any", empty)
    return Sampled(from_blocks(kept.blocks, schema), span, *(int(count) for count in counts))


def _newest(opened: Opened) -> int | None:
    """The latest time in the table, by a pass over that column alone; None where no row has one."""
    only = replace(opened.schema, features=(), series=None, label=None, group=None, regime=None)
    clock, found = Clock(), list[int]()
    for batch in opened.source.blocks(only.columns):
        block = type_block(batch, only, clock)
        if block.times is not None and block.has_time.any():
            found.append(int(block.times[block.has_time].max()))
    return max(found, default=None)


def utc(microseconds: int | np.int64) -> str:
    """A time since 1970 as people read it, to the second."""
    return str(np.datetime64(int(microseconds), "us").astype("datetime64[s]")) + "Z"


def _typed(opened: Opened) -> Iterator[TypedBlock]:
    clock = Clock()
    for batch in coalesce(opened.source.blocks(opened.schema.columns), _BLOCK_ROWS):
        yield type_block(batch, opened.schema, clock)


def _complete(block: TypedBlock, schema: Schema) -> NDArray[np.bool_]:
    named = np.ones(len(block), bool)
    if block.series is not None:
        named = block.series.is_valid().to_numpy(zero_copy_only=False)
    timed = block.has_time if schema.timestamp else named
    return np.asarray(np.isfinite(block.values).all(axis=1) & named & timed)


def _normal(block: TypedBlock) -> NDArray[np.bool_]:
    return np.ones(len(block), bool) if block.labels is None else block.labels != 1


def _running(block: TypedBlock) -> NDArray[np.bool_]:
    if block.regimes is None:
        return np.ones(len(block), bool)
    off = pc.fill_null(pc.equal(block.regimes, OFF), False)
    return ~np.asarray(off.to_numpy(zero_copy_only=False))


class _Lowest:
    """The rows of the lowest lots among those offered so far, in their order."""

    def __init__(self, rows: int) -> None:
        self._rows, self._limit = rows, 1.0
        self._lots: list[NDArray[np.float64]] = []
        self.blocks: list[TypedBlock] = []

    def add(self, block: TypedBlock, lots: NDArray[np.float64], offered: NDArray[np.bool_]) -> None:
        """Consider the offered rows of a block, (n,) each."""
        taken = offered & (lots < self._limit)
        self.blocks.append(block.take(taken))
        self._lots.append(lots[taken])
        every = np.concatenate(self._lots)
        if len(every) <= self._rows:
            return
        self._limit = float(np.partition(every, self._rows)[self._rows])
        masks = [part < self._limit for part in self._lots]
        self.blocks = [block.take(mask) for block, mask in zip(self.blocks, masks, strict=True)]
        self._lots = [part[mask] for part, mask in zip(self._lots, masks, strict=True)]
