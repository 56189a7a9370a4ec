"""Requests and answers of the service."""

from typing import Annotated

import msgspec
import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

from features.errors import InputError
from serving.bundle import Manifest
from serving.holder import Served
from serving.scorer import score
from serving.verdict import alerts, p_values

MAX_ROWS = 10_000


class PredictRequest(msgspec.Struct, forbid_unknown_fields=True):
    """``{"data": [[…], …]}``: rows of feature values in the order and units of ``/model``.

    For a bundle with history also ``"history": [[[…], …], …]``: for each row of data, the rows just before it in its
    series, oldest first. Only the caller knows times: a row whose past lies beyond a gap must not be asked about.
    """

    data: Annotated[list[list[float]], Meta(min_length=1, max_length=MAX_ROWS)]
    history: list[list[list[float]]] | None = None


class ModelName(msgspec.Struct):
    """Which model answered."""

    name: str
    version: str
    digest: str


class PredictAnswer(msgspec.Struct):
    """One entry a row: score (higher is more anomalous), alert, conformal p-value."""

    scores: list[float]
    alerts: list[bool]
    p_values: list[float]
    model: ModelName


class ErrorAnswer(msgspec.Struct):
    """The one error shape."""

    code: int
    message: str
    field: str
    request_id: str


def predict(request: PredictRequest, served: Served) -> PredictAnswer:
    """Score the rows of a request. Raises InputError naming row and column."""
    manifest = served.bundle.manifest
    values = _values(request.data, manifest.features, "data")
    scores = score(served.bundle.scorer, values, _past(request, manifest))
    return PredictAnswer(
        scores=[float(value) for value in scores],
        alerts=alerts(manifest.threshold, scores).tolist(),
        p_values=p_values(manifest.calibration, scores).tolist(),
        model=model_name(served),
    )


def model_name(served: Served) -> ModelName:
    """Name, version and digest."""
    return ModelName(served.ref.model, served.ref.version, served.bundle.digest)


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
