"""Requests and answers of the service: their types, from which the OpenAPI description is made."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

MAX_ROWS = 10_000
MAX_NAME = 1_000
"""Characters of a series or an operating state; answers, look-ups and the prediction log hold one a row."""
Name = Annotated[str, Meta(max_length=MAX_NAME)]
Row = list[float] | dict[str, float]
Points = Annotated[list[list[float]], Meta(min_length=1, max_length=MAX_ROWS)]


class PredictRequest(msgspec.Struct, forbid_unknown_fields=True):
    """``{"data": [[…], …]}``: rows of feature values in the order and units of ``/model``, or as objects by name.

    For a bundle with history also ``"history": [[[…], …], …]``: for each row of data, the rows just before it in its
    series, oldest first. Only the caller knows times: a row whose past lies beyond a gap must not be asked about.
    ``series_ids`` and ``regime``, one a row, name its baseline where the bundle has them; a missing or unknown one
    takes the fleet's. A row of regime "off" is not scored: its entries are null, and it is no alert.
    """

    data: Annotated[list[Row], Meta(min_length=1, max_length=MAX_ROWS)]
    history: list[list[Row]] | None = None
    series_ids: list[Name | None] | None = None
    regime: list[Name | None] | None = None


class Spectra(msgspec.Struct, forbid_unknown_fields=True):
    """One-sided FFTs, line k at k · rate_hz / points, from DC: real and imaginary parts, one list a record.

    points: of the waveform behind a spectrum; normalisation: "unnormalised" for the lines of an FFT, "amplitude" for
    lines whose magnitude is in g.
    """

    real: Points
    imag: Points
    points: Annotated[int, Meta(ge=16, le=65_536)]
    normalisation: Literal["unnormalised", "amplitude"] = "unnormalised"


class WaveformsRequest(msgspec.Struct, forbid_unknown_fields=True):
    """Raw records, as ``waveforms`` (points in g, at least 16, as many in each record) or as ``spectra``.

    rate_hz: points per second, 500 to 32,000, one for all records or one a record. The rest is as for ``/predict``.
    """

    rate_hz: float | list[float]
    waveforms: Points | None = None
    spectra: Spectra | None = None
    history: list[list[Row]] | None = None
    series_ids: list[Name | None] | None = None
    regime: list[Name | None] | None = None


class ModelName(msgspec.Struct):
    """Which model answered."""

    name: str
    version: str
    digest: str


class Reason(msgspec.Struct):
    """A feature, its share of what raised a row's score, 0 to 1, and on which side of its usual value it is."""

    feature: str
    share: float
    direction: Literal["above", "below"]


class RowReasons(msgspec.Struct):
    """The three features that explain most of an alert row; fewer where fewer explain anything."""

    row: int
    top: list[Reason]


class Reasons(msgspec.Struct):
    """Why rows are alerts: only alert rows, those with the highest scores first.

    method: "expected_path", the credits of a forest's splits, which sum to the score less that of an ordinary row;
    "first_and_last", the mean of what a feature adds to the score of an ordinary row and what it adds last. A feature
    answers for its history too. left_out: alert rows beyond the limit.
    """

    method: Literal["expected_path", "first_and_last"]
    rows: list[RowReasons]
    left_out: int


class PredictAnswer(msgspec.Struct, omit_defaults=True):
    """One entry a row: score (higher is more anomalous), alert, conformal p-value; null where it was not scored.

    severity: score divided by the threshold that applied, at least 1 for an alert; null for a threshold of 0 or below.
    baselines: which threshold applied, mature, young or unseen; only from a bundle with baselines. out_of_range: names
    of the features whose value is not plausible, the row being scored all the same; only from a bundle with ranges.
    reasons: with ``?explain=true``. data: the rows made of waveforms, as ``data`` and ``history`` take them.
    """

    scores: list[float | None]
    alerts: list[bool]
    p_values: list[float | None]
    severity: list[float | None]
    model: ModelName
    baselines: list[str] | None = None
    out_of_range: list[list[str]] | None = None
    reasons: Reasons | None = None
    data: list[list[float]] | None = None


class ErrorAnswer(msgspec.Struct):
    """The one error shape; field: what to mend, such as ``data[3][1]``, or empty."""

    code: int
    message: str
    field: str
    request_id: str
