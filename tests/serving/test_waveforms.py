"""Raw records are scored by the code that training uses."""

import json
from typing import Any

import numpy as np
import pytest

from features.vibration.record import FEATURE_NAMES, record_features
from tests.serving.service import Service

RATE = 25_600
WAVES = np.random.default_rng(0).normal(0, 1, (3, 256))


def ask(service: Service, **body: Any) -> Any:
    return service.call("POST", "/predict/waveforms", json.dumps(body).encode())


def test_waveforms_score_as_their_features_do_in_the_order_of_the_model(vibration: Service) -> None:
    rows = record_features(WAVES, RATE)[:, ::-1]
    assert vibration.call("GET", "/model").json["features"] == list(FEATURE_NAMES[::-1])
    found = ask(vibration, rate_hz=RATE, waveforms=WAVES.tolist()).json
    assert found["data"] == rows.tolist()
    assert found["scores"] == vibration.predict({"data": rows.tolist()}).json["scores"]


def test_each_record_may_have_its_rate(vibration: Service) -> None:
    rates = [1_000, 2_000, 32_000]
    expected = [
        ask(vibration, rate_hz=r, waveforms=[w]).json["scores"][0] for r, w in zip(rates, WAVES.tolist(), strict=True)
    ]
    assert ask(vibration, rate_hz=rates, waveforms=WAVES.tolist()).json["scores"] == expected


@pytest.mark.parametrize("normalisation", ["unnormalised", "amplitude"])
def test_one_sided_ffts_score_as_their_waveforms_do(vibration: Service, normalisation: str) -> None:
    lines = np.fft.rfft(WAVES, axis=1)
    if normalisation == "amplitude":
        lines /= 128
        lines[:, [0, -1]] /= 2
    spectra = {"real": lines.real.tolist(), "imag": lines.imag.tolist(), "points": 256, "normalisation": normalisation}
    found = ask(vibration, rate_hz=RATE, spectra=spectra).json
    expected = ask(vibration, rate_hz=RATE, waveforms=WAVES.tolist()).json
    np.testing.assert_allclose(found["data"], expected["data"], rtol=1e-9)
    assert found["scores"] == pytest.approx(expected["scores"], abs=1e-6)


def test_reasons_and_names_are_those_of_predict(vibration: Service) -> None:
    body = json.dumps({"rate_hz": RATE, "waveforms": (WAVES * 1e6).tolist(), "series_ids": ["s"] * 3}).encode()
    found = vibration.call("POST", "/predict/waveforms", body, b"explain=true").json
    assert len(found["reasons"]["rows"]) == sum(found["alerts"])


def test_a_model_of_other_features_says_so(forest: Service) -> None:
    answer = ask(forest, rate_hz=RATE, waveforms=WAVES.tolist())
    assert answer.status == 422
    assert "ten features of a record (rms, peak" in answer.json["message"]
    assert "this one has others, send rows to /predict, got ['a', 'b', 'c']" in answer.json["message"]


GOOD = {"rate_hz": RATE, "waveforms": WAVES.tolist()}
HUGE = {"real": [[1.7e308] * 9], "imag": [[0.0] * 9], "points": 16, "normalisation": "amplitude"}
SPECTRA = {"real": [[1.0] * 9], "imag": [[1.0] * 9], "points": 16}


@pytest.mark.parametrize(
    ("change", "field", "words"),
    [
        ({"waveforms": None}, "waveforms", "or else spectra"),
        ({"spectra": SPECTRA}, "waveforms", "one of the two"),
        ({"waveforms": [[1.0] * 15]}, "waveforms", "at least 16 points"),
        ({"waveforms": [[1.0] * 16, [1.0] * 17]}, "waveforms[1]", "must have 16 entries as the first record has"),
        ({"waveforms": [[]]}, "waveforms", "at least 16 points"),
        ({"waveforms": [[1.0, "x"]]}, "waveforms[0][1]", "Expected `float`, got `str`"),
        ({"waveforms": []}, "waveforms", "length >= 1"),
        ({"waveforms": None, "spectra": HUGE}, "spectra[0][0]", "high_band_energy_ratio must be finite, got nan"),
        ({"rate_hz": 1}, "rate_hz", "500 to 32,000 Hz"),
        ({"rate_hz": [RATE]}, "rate_hz", "one for each of 3 records"),
        ({"rate_hz": "x"}, "rate_hz", "Expected `float | array`"),
        ({"series_ids": ["s"]}, "series_ids", "one entry for each of 3 rows"),
        ({"waveforms": None, "spectra": SPECTRA | {"points": 99}}, "spectra", "must have 50 lines for 99 points"),
        ({"waveforms": None, "spectra": SPECTRA | {"imag": [[1.0]]}}, "spectra.imag", "the shape of spectra.real"),
        ({"waveforms": None, "spectra": SPECTRA | {"points": 2}}, "spectra.points", ">= 16"),
        ({"waveforms": None, "spectra": SPECTRA | {"normalisation": "x"}}, "spectra.normalisation", "Invalid enum"),
    ],
)
def test_a_record_that_makes_no_row_is_refused_naming_it(
    vibration: Service, change: Any, field: str, words: str
) -> None:
    body = {key: value for key, value in (GOOD | change).items() if value is not None}
    answer = ask(vibration, **body)
    assert (answer.status, answer.json["field"]) == (422, field)
    assert words in answer.json["message"]


def test_a_silent_sensor_is_scored(vibration: Service) -> None:
    found = ask(vibration, rate_hz=RATE, waveforms=[[0.25] * 64]).json
    assert found["data"] == [[0.0] * 10]
    assert found["alerts"] == [True]
