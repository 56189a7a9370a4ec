"""Requests and answers of the service."""

from typing import Annotated

import msgspec
import numpy as np
from msgspec import Meta

from features.errors import InputError
from serving.holder import Served
from serving.scorer import score
from serving.verdict import alerts, p_values

MAX_ROWS = 10_000


class PredictRequest(msgspec.Struct, forbid_unknown_fields=True):
    """``{"data": [[…], …]}``: rows of feature values in the order and units of ``/model``."""

    data: Annotated[list[list[float]], Meta(min_length=1, max_length=MAX_ROWS)]


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
    width = len(manifest.features)
    for number, row in enumerate(request.data):
        if len(row) != width:
            raise InputError(f"data[{number}]", f"must have {width} values ({', '.join(manifest.features)})", len(row))
    values = np.array(request.data, dtype=np.float64)
    finite = np.isfinite(values)
    if not finite.all():
        at, column = (int(i) for i in np.argwhere(~finite)[0])
        name = manifest.features[column]
        raise InputError(f"data[{at}][{column}]", f"{name} must be finite", float(values[at, column]))
    scores = score(served.bundle.scorer, values)
    return PredictAnswer(
        scores=[float(value) for value in scores],
        alerts=alerts(manifest.threshold, scores).tolist(),
        p_values=p_values(manifest.calibration, scores).tolist(),
        model=model_name(served),
    )


def model_name(served: Served) -> ModelName:
    """Name, version and digest."""
    return ModelName(served.ref.model, served.ref.version, served.bundle.digest)
