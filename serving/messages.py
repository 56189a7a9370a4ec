"""Requests and answers of the service."""

from typing import Annotated

import msgspec
import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

from features.errors import InputError
from features.rows import OFF
from serving.baselines import Stratum
from serving.bundle import Bundle, Manifest
from serving.holder import Served
from serving.scorer import score
from serving.verdict import judge

MAX_ROWS = 10_000


class PredictRequest(msgspec.Struct, forbid_unknown_fields=True):
    """``{"data": [[…], …]}``: rows of feature values in the order and units of ``/model``.

    For a bundle with history also ``"history": [[[…], …], …]``: for each row of data, the rows just before it in its
    series, oldest first. Only the caller knows times: a row whose past lies beyond a gap must not be asked about.
    ``series_ids`` and ``regime``, one a row, name its baseline where the bundle has them; a missing or unknown one
    takes the fleet's. A row of regime "off" is not scored: its entries are null, and it is no alert.
    """

    data: Annotated[list[list[float]], Meta(min_length=1, max_length=MAX_ROWS)]
    history: list[list[list[float]]] | None = None
    series_ids: list[str | None] | None = None
    regime: list[str | None] | None = None


class ModelName(msgspec.Struct):
    """Which model answered."""

    name: str
    version: str
    digest: str


class PredictAnswer(msgspec.Struct, omit_defaults=True):
    """One entry a row: score (higher is more anomalous), alert, conformal p-value; null where it was not scored.

    baselines: which threshold applied, mature, young or unseen; only from a bundle with baselines.
    """

    scores: list[float | None]
    alerts: list[bool]
    p_values: list[float | None]
    model: ModelName
    baselines: list[str] | None = None


class ErrorAnswer(msgspec.Struct):
    """The one error shape."""

    code: int
    message: str
    field: str
    request_id: str


def predict(request: PredictRequest, served: Served) -> PredictAnswer:
    """Score the rows of a request. Raises InputError naming row and column."""
    bundle = served.bundle
    values = _values(request.data, bundle.manifest.features, "data")
    past, at = _past(request, bundle.manifest), _located(request, bundle)
    scores = score(bundle.scorer, values, past, at)
    found = judge(bundle.judge, scores, bundle.strata(at))
    scored = [state != OFF for state in request.regime or [None] * len(values)]
    named = None if at is None else [Stratum(code).name.lower() for code in found.strata]
    return PredictAnswer(
        scores=[float(value) if kept else None for value, kept in zip(scores, scored, strict=True)],
        alerts=[bool(alert) and kept for alert, kept in zip(found.alerts, scored, strict=True)],
        p_values=[float(p) if kept else None for p, kept in zip(found.p_values, scored, strict=True)],
        model=model_name(served),
        baselines=named,
    )


def model_name(served: Served) -> ModelName:
    """Name, version and digest."""
    return ModelName(served.ref.model, served.ref.version, served.bundle.digest)


def _located(request: PredictRequest, bundle: Bundle) -> NDArray[np.int64] | None:
    """(n,) baseline rows; None for a bundle without baselines."""
    n = len(request.data)
    for field in ("series_ids", "regime"):
        given = getattr(request, field)
        if given is not None and len(given) != n:
            raise InputError(field, f"must have one entry for each of {n} rows", len(given))
    if bundle.scorer.baselines is None:
        return None
    return bundle.scorer.baselines.find(request.series_ids or [None] * n, request.regime)


def _past(request: PredictRequest, manifest: Manifest) -> NDArray[np.float64] | None:
    """(n, rows, d) past rows; None for a bundle without history."""
    if manifest.history is None:
        if request.history is not None:
            raise InputError("history", "must be left out: the model looks at single rows")
        return None
    depth = manifest.history.rows
    if request.history is None:
        raise InputError("history", f"must hold, for each row of data, the {depth} rows before it, oldest first")
    if len(request.history) != len(request.data):
        raise InputError("history", f"must have one entry for each of {len(request.data)} rows", len(request.history))
    for number, past in enumerate(request.history):
        if len(past) != depth:
            raise InputError(f"history[{number}]", f"must have {depth} rows, oldest first", len(past))
    return np.stack([_values(past, manifest.features, f"history[{n}]") for n, past in enumerate(request.history)])


def _values(rows: list[list[float]], features: list[str], field: str) -> NDArray[np.float64]:
    for number, row in enumerate(rows):
        if len(row) != len(features):
            raise InputError(
                f"{field}[{number}]", f"must have {len(features)} values ({', '.join(features)})", len(row)
            )
    values = np.array(rows, dtype=np.float64)
    finite = np.isfinite(values)
    if not finite.all():
        at, column = (int(i) for i in np.argwhere(~finite)[0])
        raise InputError(f"{field}[{at}][{column}]", f"{features[column]} must be finite", float(values[at, column]))
    return values
