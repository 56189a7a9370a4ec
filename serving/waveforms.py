"""Raw records as rows: waveforms and one-sided FFTs become features by the code that training uses."""

from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from features.errors import InputError
from features.vibration.record import FEATURE_NAMES, record_features
from features.vibration.spectrum import rebuild_waveforms
from serving.manifest import Manifest
from serving.messages import Spectra, WaveformsRequest
from serving.requests import Asked, finite, placed

_DECODER = msgspec.json.Decoder(WaveformsRequest)


def read_waveforms(body: bytes, manifest: Manifest) -> Asked:
    """One row a record of ``WaveformsRequest``, in the order of the bundle's features.

    Raises msgspec errors for another shape, InputError for a bundle of other features or a record that makes no row.
    """
    if sorted(manifest.features) != sorted(FEATURE_NAMES):
        rule = f"are scored by models of the ten features of a record ({', '.join(FEATURE_NAMES)})"
        raise InputError("waveforms", f"{rule}; this one has others, send rows to /predict", manifest.features)
    request = _DECODER.decode(body)
    if (request.waveforms is None) == (request.spectra is None):
        raise InputError("waveforms", "must be there or else spectra, one of the two")
    rate = request.rate_hz if isinstance(request.rate_hz, float) else np.asarray(request.rate_hz, np.float64)
    if request.spectra is not None:
        kind, points = "spectra", _rebuilt(request.spectra)
    else:
        kind, points = "waveforms", _matrix(request.waveforms or [], "waveforms")
    with np.errstate(over="ignore", invalid="ignore"):  # a record beyond float64 is refused by name just below
        rows = record_features(points, rate)
    order = [FEATURE_NAMES.index(name) for name in manifest.features]
    rows = finite(rows[:, order], manifest.features, lambda row: f"{kind}[{row}]")
    return placed(rows, manifest, request.history, request.series_ids, request.regime, shown=True)


def _rebuilt(spectra: Spectra) -> NDArray[Any]:
    real, imag = _matrix(spectra.real, "spectra.real"), _matrix(spectra.imag, "spectra.imag")
    if real.shape != imag.shape:
        raise InputError("spectra.imag", f"must have the shape of spectra.real, {real.shape}", imag.shape)
    with np.errstate(over="ignore", invalid="ignore"):
        return rebuild_waveforms(real + 1j * imag, spectra.points, spectra.normalisation)


def _matrix(records: list[list[float]], field: str) -> NDArray[np.float64]:
    length = len(records[0])
    for number, record in enumerate(records):
        if len(record) != length:
            raise InputError(f"{field}[{number}]", f"must have {length} entries as the first record has", len(record))
    return np.array(records, np.float64)
