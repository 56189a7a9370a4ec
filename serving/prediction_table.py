"""Answers as rows of the prediction log: their columns, and the file that an hour's rows of one bundle become."""

import io
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from itertools import chain
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from serving.loading import Served
from serving.predict import Judged, stratum_names
from serving.settings import BundleRef

_HOUR_S = 3_600


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
    scored = np.concatenate([_scored(judged) for judged in found])
    with np.errstate(over="ignore"):  # beyond float32 is infinite
        values = np.concatenate([judged.asked.values for judged in found]).astype(np.float32)
    times = np.repeat(np.array([answer.time for answer in answers]) * 1e6, sizes).astype(np.int64)
    severity = np.concatenate([judged.severity for judged in found])
    columns = {
        "time": pa.array(times, pa.timestamp("us", "UTC")),
        "request_id": _texts([answer.request_id] * n for answer, n in zip(answers, sizes, strict=True)),
        "row": pa.array(np.concatenate([np.arange(n, dtype=np.int32) for n in sizes])),
        "series": _texts(judged.asked.series_ids or [None] * n for judged, n in zip(found, sizes, strict=True)),
        "regime": _texts(judged.asked.regime or [None] * n for judged, n in zip(found, sizes, strict=True)),
        "score": pa.array(np.concatenate([judged.scores for judged in found]), mask=~scored),
        "p_value": pa.array(np.concatenate([judged.p_values for judged in found]), mask=~scored),
        "severity": pa.array(severity, mask=~scored, from_pandas=True),  # NaN is null
        "alert": pa.array(np.concatenate([judged.alerts for judged in found])),
        "stratum": _texts(_strata(judged) for judged in found),
        "out_of_range": pa.array(np.concatenate([_outside(judged) for judged in found])),
        "features": pa.StructArray.from_arrays(
            [pa.array(values[:, k]) for k in range(values.shape[1])], answers[0].served.bundle.manifest.features
        ),
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


def _texts(parts: Iterable[Sequence[str | None]]) -> pa.Array:
    return pa.array(list(chain.from_iterable(parts)), pa.string())


def _strata(judged: Judged) -> Sequence[str | None]:
    return [None] * len(judged.scores) if judged.at is None else stratum_names(judged)


def _scored(judged: Judged) -> NDArray[np.bool_]:
    return np.ones(len(judged.scores), bool) if judged.scored is None else judged.scored


def _outside(judged: Judged) -> NDArray[np.bool_]:
    if judged.out_of_range is None:
        return np.zeros(len(judged.scores), bool)
    return np.asarray(judged.out_of_range.any(axis=1))
