"""The first pass over a table: what no block can know alone. Summaries of neighbouring blocks merge into one."""

from dataclasses import dataclass

import numpy as np
import pyarrow.compute as pc
from numpy.typing import NDArray

from features.typed import TypedBlock

SAMPLE_ROWS = 5_000
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)


@dataclass(frozen=True)
class Summary:
    """Keys, extremes and a seeded sample of n rows.

    series: (n,) codes into ``names``, -1 where the key is missing; times: (n,), with has_time; lowest, highest: (d,) of
    finite values, ±inf where there are none; missing: (d,) cells that are missing or mistyped; sample: (k, d) values of
    the rows with the lowest ``priority``, a hash of the row's number, so that it does not depend on the blocks.
    """

    names: dict[str, int]
    series: NDArray[np.int64]
    times: NDArray[np.int64]
    has_time: NDArray[np.bool_]
    missing: NDArray[np.int64]
    lowest: NDArray[np.float64]
    highest: NDArray[np.float64]
    priority: NDArray[np.uint64]
    sample: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.series)

    @property
    def keyed(self) -> NDArray[np.bool_]:
        """(n,) True where series and time are known."""
        return np.asarray(self.has_time & (self.series >= 0))

    def duplicates(self) -> NDArray[np.bool_]:
        """(n,) True for every row that shares series and time with another."""
        found = np.zeros(len(self), bool)
        rows = np.flatnonzero(self.keyed)
        order = rows[np.lexsort((self.times[rows], self.series[rows]))]
        same = (np.diff(self.series[order]) == 0) & (np.diff(self.times[order]) == 0)
        found[order[1:][same]] = found[order[:-1][same]] = True
        return found

    def span(self) -> tuple[str, str]:
        """First and last time, ISO 8601; "" where no row has one."""
        times = self.times[self.has_time]
        return (_iso(times.min()), _iso(times.max())) if len(times) else ("", "")

    def usual_step(self) -> int:
        """Median time between neighbouring rows of a series in microseconds; 0 where there are none."""
        rows = np.flatnonzero(self.keyed)
        order = rows[np.lexsort((self.times[rows], self.series[rows]))]
        steps = np.diff(self.times[order])[np.diff(self.series[order]) == 0]
        steps = steps[steps > 0]
        return int(np.median(steps)) if len(steps) else 0


class Summarizer:
    """Folds blocks of d features in order; each block's summary is merged into the whole."""

    def __init__(self, d: int) -> None:
        self._names: dict[str, int] = {}
        self._parts = [_nothing(d, self._names)]
        self._rows = 0

    def add(self, block: TypedBlock) -> NDArray[np.int64]:
        """Summarize the next block; returns its series codes (n,)."""
        codes = series_codes(block, self._names)
        values, n = block.values, len(block)
        finite = np.isfinite(values)
        priority = _hash(np.arange(self._rows, self._rows + n, dtype=np.uint64))
        self._rows += n
        kept = np.argsort(priority)[:SAMPLE_ROWS]
        part = Summary(
            names=self._names,
            series=codes,
            times=np.zeros(n, np.int64) if block.times is None else block.times,
            has_time=block.has_time,
            missing=np.isnan(values).sum(axis=0),
            lowest=np.min(values, axis=0, where=finite, initial=np.inf),
            highest=np.max(values, axis=0, where=finite, initial=-np.inf),
            priority=priority[kept],
            sample=values[kept],
        )
        self._parts.append(part)
        if len(self._parts) > 64:  # samples merge as they come, so that memory follows the keys alone
            self._parts = [merge(self._parts)]
        return codes

    def whole(self) -> Summary:
        """The summary of all blocks."""
        return merge(self._parts)


def merge(parts: list[Summary]) -> Summary:
    """The summary of neighbouring parts, in order; at least one."""
    priority = np.concatenate([part.priority for part in parts])
    kept = np.argsort(priority)[:SAMPLE_ROWS]
    return Summary(
        names=parts[-1].names,
        series=np.concatenate([part.series for part in parts]),
        times=np.concatenate([part.times for part in parts]),
        has_time=np.concatenate([part.has_time for part in parts]),
        missing=np.sum([part.missing for part in parts], axis=0),
        lowest=np.min([part.lowest for part in parts], axis=0),
        highest=np.max([part.highest for part in parts], axis=0),
        priority=priority[kept],
        sample=np.concatenate([part.sample for part in parts])[kept],
    )


def series_codes(block: TypedBlock, names: dict[str, int]) -> NDArray[np.int64]:
    """(n,) codes of the block's series, -1 where missing; unseen names are added to ``names``."""
    if block.series is None:
        return np.zeros(len(block), np.int64)
    encoded = block.series.dictionary_encode()
    codes = np.array([names.setdefault(name, len(names)) for name in encoded.dictionary.to_pylist()] + [-1], np.int64)
    return np.asarray(codes[pc.fill_null(encoded.indices, -1).to_numpy(zero_copy_only=False)])


def _nothing(d: int, names: dict[str, int]) -> Summary:
    none = np.empty(0, np.int64)
    low, high, missing = np.full(d, np.inf), np.full(d, -np.inf), np.zeros(d, np.int64)
    return Summary(names, none, none, none > 0, missing, low, high, none.astype(np.uint64), np.empty((0, d)))


def _hash(numbers: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """splitmix64 (Steele, Lea, Flood 2014) of row numbers."""
    z = (numbers + np.uint64(1)) * _GOLDEN
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(z ^ (z >> np.uint64(31)))


def _iso(microseconds: np.int64) -> str:
    return str(np.datetime64(int(microseconds), "us").astype("datetime64[s]")) + "Z"
