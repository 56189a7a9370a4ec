"""From rows that were asked about to what is answered: scores, alerts, p-values, severity, implausible values."""

from typing import NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from features.rows import OFF
from serving.attribution import explain
from serving.baselines import Stratum
from serving.bundle import Bundle
from serving.loading import Served
from serving.messages import ModelName, PredictAnswer
from serving.requests import Asked
from serving.scorer import score
from serving.verdict import judge, severities

_NAMES = tuple(stratum.name.lower() for stratum in Stratum)
_ENCODER = msgspec.json.Encoder()


class Judged(NamedTuple):
    """Verdicts on n rows, each (n,): scores float32; alerts; p_values and severity float64; strata as codes of Stratum.

    at: rows of the baselines, None without; scored: False for machines at rest, None where all were scored;
    out_of_range: (n, d) True where a value is not plausible, None for a bundle without ranges.
    """

    asked: Asked
    at: NDArray[np.int64] | None
    scores: NDArray[np.float32]
    alerts: NDArray[np.bool_]
    p_values: NDArray[np.float64]
    severity: NDArray[np.float64]
    strata: NDArray[np.int8]
    scored: NDArray[np.bool_] | None
    out_of_range: NDArray[np.bool_] | None


def judge_rows(asked: Asked, served: Served) -> Judged:
    """Score rows and hold the scores to the thresholds of their strata; an implausible value is scored too."""
    bundle, values = served.bundle, asked.values
    at = _located(asked, bundle)
    scores = score(bundle.scorer, values, asked.past, at)
    found = judge(bundle.judge, scores, bundle.strata(at))
    scored, alerts = None, found.alerts
    if asked.regime is not None and OFF in asked.regime:
        scored = np.fromiter((state != OFF for state in asked.regime), bool, len(values))
        alerts = alerts & scored
    outside = None if served.ranges is None else (values < served.ranges[0]) | (values > served.ranges[1])
    severity = severities(bundle.judge, scores, found.strata)
    return Judged(asked, at, scores, alerts, found.p_values, severity, found.strata, scored, outside)


def encode_json(judged: Judged, served: Served, explained: bool) -> bytes:
    """``PredictAnswer`` as JSON."""
    bundle = served.bundle
    answer = PredictAnswer(
        scores=judged.scores.tolist(),
        alerts=judged.alerts.tolist(),
        p_values=judged.p_values.tolist(),
        severity=judged.severity.tolist(),  # NaN is written as null
        model=model_name(served),
    )
    if judged.scored is not None:
        for row in np.flatnonzero(~judged.scored):
            answer.scores[row] = answer.p_values[row] = answer.severity[row] = None
    if judged.at is not None:
        answer.baselines = stratum_names(judged)
    if judged.out_of_range is not None:
        answer.out_of_range = named_columns(judged.out_of_range, bundle.manifest.features)
    if explained:
        asked, rows = judged.asked, np.flatnonzero(judged.alerts)
        answer.reasons = explain(bundle, rows, judged.scores, asked.values, asked.past, judged.at)
    if judged.asked.shown:
        answer.data = judged.asked.values.tolist()
    return _ENCODER.encode(answer)


def encode_floats(judged: Judged) -> bytes:
    """The n scores as little-endian float32, NaN where a row was not scored."""
    scores = judged.scores if judged.scored is None else np.where(judged.scored, judged.scores, np.float32(np.nan))
    return scores.astype("<f4").tobytes()


def named_columns(flags: NDArray[np.bool_], names: list[str]) -> list[list[str]]:
    """For each of n rows the names of its columns that are True, of (n, d)."""
    found: list[list[str]] = [[]] * len(flags)
    if not flags.any():
        return found
    for row in np.flatnonzero(flags.any(axis=1)):
        found[row] = [names[column] for column in np.flatnonzero(flags[row])]
    return found


def stratum_names(judged: Judged) -> list[str]:
    """(n,) mature, young or unseen."""
    return [_NAMES[code] for code in judged.strata.tolist()]


def model_name(served: Served) -> ModelName:
    """Name, version and digest."""
    return ModelName(served.ref.model, served.ref.version, served.bundle.digest)


def _located(asked: Asked, bundle: Bundle) -> NDArray[np.int64] | None:
    """(n,) baseline rows; None for a bundle without baselines."""
    baselines, n = bundle.scorer.baselines, len(asked.values)
    if baselines is None:
        return None
    if asked.series_ids is None and asked.regime is None:
        return np.full(n, len(baselines.centre) - 1)
    return baselines.find(asked.series_ids or [None] * n, asked.regime)
