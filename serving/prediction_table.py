"""Answers as rows of the prediction log: their columns, and the file that an hour's rows of one bundle become."""

import io
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from serving.loading import Served
from serving.predict import Judged, stratum_names
from serving.settings import BundleRef

_HOUR_S = 3_600
_Texts = list[str | None]


class Answered(NamedTuple):
    """One answered request: seconds since 1970, its id, and what was found by which bundle."""

    time: float
    request_id: str
    served: Served
    judged: Judged


class Part(NamedTuple):
    """Which file a row belongs to: its hour since 1970 and its bundle."""

    hour: int
    ref: BundleRef

    @property
    def folder(self) -> str:
        """``date=YYYY-MM-DD/hour=HH`` in UTC."""
        return datetime.fromtimestamp(self.hour * _HOUR_S, UTC).strftime("date=%Y-%m-%d/hour=%H")


def part_of(answer: Answered) -> Part:
    """Where the rows of an answer belong."""
    return Part(int(answer.time // _HOUR_S), answer.served.ref)


def rows_of(answers: Sequence[Answered]) -> pa.Table:
    """The rows of answers by one bundle, without the columns that are the same in all of them.

    A row that was not scored has null as score, p_value and severity; ``features`` are float32, in their units.
    """
    found = [answer.judged for answer in answers]
    sizes = [len(judged.scores) for judged in found]
    missing = None
    if any(judged.scored is not None for judged in found):
        missing = ~np.concatenate(
            [np.ones(len(judged.scores), bool) if judged.scored is None else judged.scored for judged in found]
        )
    times = np.array([answer.time for answer in answers])
    ids: list[str] = []
    strata, series, regimes = _Texts(), _Texts(), _Texts()
    for answer, judged, size in zip(answers, found, sizes, strict=True):
        ids += [answer.request_id] * size
        strata += [None] * size if judged.at is None else stratum_names(judged)
        series += judged.asked.series_ids or [None] * size
        regimes += judged.asked.regime or [None] * size
    outside = [
        np.zeros(len(judged.scores), bool) if judged.out_of_range is None else judged.out_of_range.any(axis=1)
        for judged in found
    ]
    with np.errstate(over="ignore"):  # beyond float32 is infinite
        values = np.concatenate([judged.asked.values for judged in found]).astype(np.float32)
    names = answers[0].served.bundle.manifest.features
    columns = {
        "time": pa.array(np.repeat(times * 1e6, sizes).astype(np.int64), pa.timestamp("us", "UTC")),
        "request_id": pa.array(ids, pa.string()),
        "row": pa.array(np.concatenate([np.arange(size, dtype=np.int32) for size in sizes])),
        "series": pa.array(series, pa.string()),
        "regime": pa.array(regimes, pa.string()),
        "score": pa.array(np.concatenate([judged.scores for judged in found]), mask=missing),
        "p_value": pa.array(np.concatenate([judged.p_values for judged in found]), mask=missing),
        "severity": pa.array(
            np.concatenate([judged.severity for judged in found]), mask=missing, from_pandas=True
        ),  # NaN is null
        "alert": pa.array(np.concatenate([judged.alerts for judged in found])),
        "stratum": pa.array(strata, pa.string()),
        "out_of_range": pa.array(np.concatenate(outside)),
        "features": pa.StructArray.from_arrays([pa.array(values[:, k]) for k in range(values.shape[1])], names),
    }
    return pa.table(columns)


def file_of(part: Part, tables: Sequence[pa.Table]) -> bytes:
    """A Parquet file of these rows, with the bundle in columns of its own."""
    rows = pa.concat_tables(tables)
    about = {"model": part.ref.model, "version": part.ref.version, "digest": part.ref.digest}
    for name, text in about.items():
        rows = rows.append_column(name, pa.repeat(pa.scalar(text), len(rows)))
    buffer = io.BytesIO()
    pq.write_table(rows, buffer, compression="zstd")
    return buffer.getvalue()
