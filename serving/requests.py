"""What was asked: rows out of a body of JSON or of little-endian float32."""

from collections.abc import Callable, Sequence
from itertools import chain
from typing import Any, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from features.errors import InputError
from serving.manifest import Manifest
from serving.messages import MAX_ROWS, PredictRequest, Row

_DECODER = msgspec.json.Decoder(PredictRequest)


class Asked(NamedTuple):
    """n finite rows (n, d) float64 in the order of the bundle's features, and what places them.

    past: (n, rows, d), oldest first, for a bundle with history; series_ids, regime: n names each, or None. shown: the
    answer repeats the rows, which the caller has not seen.
    """

    values: NDArray[np.float64]
    past: NDArray[np.float64] | None = None
    series_ids: Sequence[str | None] | None = None
    regime: Sequence[str | None] | None = None
    shown: bool = False


def read_json(body: bytes, manifest: Manifest) -> Asked:
    """Rows of ``PredictRequest``. Raises msgspec errors for another shape, InputError naming row and column."""
    request = _DECODER.decode(body)
    values = matrix(request.data, manifest.features, lambda row: f"data[{row}]")
    return placed(values, manifest, request.history, request.series_ids, request.regime)


def read_floats(body: bytes, manifest: Manifest) -> Asked:
    """Rows of n × d little-endian float32, row after row. Raises InputError for another size."""
    d = len(manifest.features)
    if not body or len(body) % (4 * d):
        raise InputError("data", f"must be rows of {d} float32, {4 * d} bytes each", f"{len(body)} bytes")
    values = finite(few(np.frombuffer(body, "<f4").reshape(-1, d)), manifest.features, lambda row: f"data[{row}]")
    return placed(values.astype(np.float64), manifest)


def placed(
    values: NDArray[np.float64],
    manifest: Manifest,
    history: Sequence[Sequence[Row]] | None = None,
    series_ids: Sequence[str | None] | None = None,
    regime: Sequence[str | None] | None = None,
    *,
    shown: bool = False,
) -> Asked:
    """Rows with their past and names. Raises InputError where there is not one entry for each row."""
    for field, given in (("series_ids", series_ids), ("regime", regime)):
        if given is not None and len(given) != len(values):
            raise InputError(field, f"must have one entry for each of {len(values)} rows", len(given))
    return Asked(values, _past(history, len(values), manifest), series_ids, regime, shown)


def few(values: NDArray[Any]) -> NDArray[Any]:
    """The rows. Raises InputError for none or too many."""
    if not 1 <= len(values) <= MAX_ROWS:
        raise InputError("data", f"must have 1 to {MAX_ROWS:,} rows", len(values))
    return values


def matrix(rows: Sequence[Row], features: list[str], named: Callable[[int], str]) -> NDArray[np.float64]:
    """(n, d) values of rows that are all lists or all objects by feature name; ``named`` tells of a row.

    They are finite: JSON has no other numbers, and one beyond float64 is refused in decoding.
    """
    kinds, d = set(map(type, rows)), len(features)
    if kinds == {dict}:
        rows = [_by_name(row, features, named(number)) for number, row in enumerate(rows)]
    elif kinds != {list}:
        odd = next(number for number, row in enumerate(rows) if type(row) is not type(rows[0]))
        raise InputError(named(odd), f"must be a {type(rows[0]).__name__} as {named(0)} is", type(rows[odd]).__name__)
    elif set(map(len, rows)) != {d}:
        odd = next(number for number, row in enumerate(rows) if len(row) != d)
        raise InputError(named(odd), f"must have {d} values ({', '.join(features)})", len(rows[odd]))
    return np.fromiter(chain.from_iterable(rows), np.float64, len(rows) * d).reshape(-1, d)


def finite(values: NDArray[Any], features: list[str], named: Callable[[int], str]) -> NDArray[Any]:
    """The values (n, d). Raises InputError naming the first that is not finite."""
    good = np.isfinite(values)
    if not good.all():
        at, column = (int(i) for i in np.argwhere(~good)[0])
        raise InputError(f"{named(at)}[{column}]", f"{features[column]} must be finite", float(values[at, column]))
    return values


def _by_name(row: Any, features: list[str], named: str) -> list[float]:
    absent = [name for name in features if name not in row]
    if absent:
        raise InputError(f"{named}.{absent[0]}", f"must have {len(features)} values ({', '.join(features)})", len(row))
    if len(row) != len(features):
        unknown = next(name for name in row if name not in features)
        raise InputError(named, f"must have no other values than {', '.join(features)}", unknown)
    return [row[name] for name in features]


def _past(history: Sequence[Sequence[Row]] | None, n: int, manifest: Manifest) -> NDArray[np.float64] | None:
    if manifest.history is None:
        if history is not None:
            raise InputError("history", "must be left out: the model looks at single rows")
        return None
    depth, d = manifest.history.rows, len(manifest.features)
    if history is None:
        raise InputError("history", f"must hold, for each row of data, the {depth} rows before it, oldest first")
    if len(history) != n:
        raise InputError("history", f"must have one entry for each of {n} rows", len(history))
    for number, past in enumerate(history):
        if len(past) != depth:
            raise InputError(f"history[{number}]", f"must have {depth} rows, oldest first", len(past))
    flat = list(chain.from_iterable(history))
    named = lambda row: f"history[{row // depth}][{row % depth}]"  # noqa: E731
    return matrix(flat, manifest.features, named).reshape(n, depth, d)
