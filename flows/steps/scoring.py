"""Scores of a table, block by block: nothing of a block is kept but its keys and verdicts, and the past that later rows
of its series need."""

from dataclasses import dataclass, field
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from evaluation.validation.validate import JudgedBlock
from features.errors import InputError
from features.history import Scorable, scorable
from features.rows import Rows, from_blocks
from features.schema import Schema
from features.typed import TypedBlock
from serving.attribution import attribute_rows, top_reasons
from serving.baselines import Stratum, locate
from serving.bundle import Bundle
from serving.scorer import score_rows
from serving.verdict import Verdicts, judge, severities

REASONS = pa.list_(pa.struct([("feature", pa.string()), ("share", pa.float64()), ("direction", pa.string())]))


@dataclass(frozen=True)
class Keys:
    """Of n valid rows in the order of the table: (n,) int32 codes of their series, int64 times or None, and what was
    said of them; rows that were not scored are not ``complete``, and neither of the others means anything there."""

    series: NDArray[np.int32]
    times: NDArray[np.int64] | None
    complete: NDArray[np.bool_]
    alerts: NDArray[np.bool_]
    scores: NDArray[np.float32]


@dataclass
class BlockScorer:
    """A bundle over the blocks of one table; give it every block once, in order.

    A row's score is that of ``serving.scorer.score`` however the table is cut. With a history, rows of a series that
    lie in different blocks must come in order of time.
    """

    bundle: Bundle
    schema: Schema
    explained: bool
    names: dict[str | None, int] = field(default_factory=dict)
    keys: list[Keys] = field(default_factory=list)
    _tail: list[TypedBlock] = field(default_factory=list)
    _read: int = 0

    def score(self, block: JudgedBlock) -> pa.Table:
        """One row for each valid row of a block, in its order.

        row (its place in the table, from 0), series and timestamp where the table has them, flags (the plausibility
        rules that the row breaks), complete (the history is there and the machine runs); and, null where it is not:
        score, p_value, alert, severity (score by the threshold that applied; null for one of 0 or below), stratum
        (mature, young or unseen, from a bundle with baselines), reasons of alert rows (where asked for).
        """
        own = block.typed.take(block.valid)
        ready, place = self._ready(own)
        at = None if self.bundle.scorer.baselines is None else locate(self.bundle.scorer.baselines, ready.rows)
        scores = score_rows(self.bundle.scorer, ready, at)
        found = judge(self.bundle.judge, scores, self.bundle.strata(at))
        made = _Spread(len(own), place)
        self.keys.append(Keys(self._codes(own), own.times, ~made.missing, made.whole(found.alerts), made.whole(scores)))
        columns: dict[str, pa.Array] = {"row": pa.array(self._read + np.flatnonzero(block.valid))}
        self._read += len(block.valid)
        if own.series is not None:
            columns["series"] = own.series
        if own.times is not None:
            columns["timestamp"] = pa.array(own.times).cast(pa.timestamp("us", tz="UTC"))
        columns["flags"] = pa.array(block.flags[block.valid].tolist(), pa.list_(pa.string()))
        columns |= {"complete": pa.array(~made.missing), "score": made.column(scores)}
        columns |= {"p_value": made.column(found.p_values), "alert": made.column(found.alerts)}
        severity = severities(self.bundle.judge, scores, found.strata)
        columns["severity"] = made.column(severity, np.isnan(severity))
        if self.bundle.scorer.baselines is not None:
            columns["stratum"] = pa.array([of.name.lower() for of in Stratum]).take(made.column(found.strata))
        if self.explained:
            columns["reasons"] = self._reasons(ready, at, found, made)
        return pa.table(columns)

    def _ready(self, own: TypedBlock) -> tuple[Scorable, NDArray[np.int64]]:
        """The rows of a block that can be scored, in canonical order, and (k,) their places among its valid rows."""
        parts, before = [*self._tail, own], sum(map(len, self._tail))
        rows = from_blocks(parts, self.schema, positions=np.arange(before + len(own)))
        assert rows.positions is not None
        if self.bundle.scorer.history.rows:
            self._refuse_disorder(rows, rows.positions < before)
            self._tail = _last(rows, parts, self.bundle.scorer.history.rows)
        ready = scorable(rows, self.bundle.scorer.history)
        assert ready.rows.positions is not None
        ready = ready.take(ready.rows.running & (ready.rows.positions >= before))
        assert ready.rows.positions is not None
        return ready, ready.rows.positions - before

    def _refuse_disorder(self, rows: Rows, earlier: NDArray[np.bool_]) -> None:
        disorder = np.flatnonzero(~earlier[:-1] & earlier[1:] & (np.diff(rows.series) == 0))
        if len(disorder):
            name = rows.series_names[rows.series[disorder[0]]]
            rule = "rows of a series must come in order of time, as scores need their past: sort the table by time"
            raise InputError(f"data.timestamp of series {name!r}", rule)

    def _codes(self, own: TypedBlock) -> NDArray[np.int32]:
        if own.series is None:
            self.names.setdefault(None, 0)
            return np.zeros(len(own), np.int32)
        encoded = own.series.dictionary_encode()
        known = [self.names.setdefault(name, len(self.names)) for name in encoded.dictionary.to_pylist()]
        return np.asarray(np.asarray(known, np.int32)[encoded.indices.to_numpy()])

    def _reasons(self, ready: Scorable, at: NDArray[np.int64] | None, found: Verdicts, made: "_Spread") -> pa.Array:
        alerts = np.flatnonzero(found.alerts)
        attributed = attribute_rows(self.bundle, ready.take(alerts), None if at is None else at[alerts])
        named: list[Any] = [None] * made.n
        for row, reasons in zip(
            made.place[alerts], top_reasons(attributed, self.bundle.manifest.features), strict=True
        ):
            named[row] = msgspec.to_builtins(reasons)
        return pa.array(named, REASONS)


@dataclass(frozen=True)
class _Spread:
    """n rows, and the (k,) places among them of those that were scored."""

    n: int
    place: NDArray[np.int64]

    @property
    def missing(self) -> NDArray[np.bool_]:
        """(n,) True where a row was not scored."""
        found = np.ones(self.n, bool)
        found[self.place] = False
        return found

    def whole(self, values: NDArray[Any]) -> NDArray[Any]:
        """(n,) of (k,) values, 0 for the others."""
        found = np.zeros(self.n, values.dtype)
        found[self.place] = values
        return found

    def column(self, values: NDArray[Any], unknown: NDArray[np.bool_] | None = None) -> pa.Array:
        """(n,) of (k,) values, null for the others and where they are unknown."""
        masked = self.missing if unknown is None else self.missing | self.whole(unknown)
        return pa.array(self.whole(values), mask=masked)


def _last(rows: Rows, parts: list[TypedBlock], depth: int) -> list[TypedBlock]:
    """The last ``depth`` rows of every series, by ``positions`` in the parts that the rows came from."""
    assert rows.positions is not None
    ends = np.flatnonzero(np.diff(rows.series, append=-1))
    from_end = ends[np.searchsorted(ends, np.arange(len(rows)))] - np.arange(len(rows))
    kept = np.zeros(len(rows), bool)
    kept[rows.positions[from_end < depth]] = True
    starts = np.cumsum([0, *map(len, parts)])
    taken = [part.take(kept[start : start + len(part)]) for part, start in zip(parts, starts, strict=False)]
    return [part for part in taken if len(part)]
