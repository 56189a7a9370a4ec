"""Figures of detection quality on one window."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score, roc_auc_score

from evaluation.calibration import count_onsets, series_days
from evaluation.episodes import Episodes, LostRows, count_episodes
from features.rows import Rows


@dataclass(frozen=True)
class Measures:
    """None where the window cannot say: no labels (auroc, average_precision, episodes), no time (onsets, episodes)."""

    rows: int
    alert_rate: float
    onsets_per_series_day: float | None
    onsets_per_day: float | None
    auroc: float | None
    average_precision: float | None
    anomalous_share: float | None
    episodes: Episodes | None


def measure(
    scores: NDArray[np.float32],
    flagged: NDArray[np.bool_],
    rows: Rows,
    merge_us: int,
    period: int,
    lost: LostRows | None = None,
) -> Measures:
    """Figures of (n,) scores and alert rows; unknown labels are left out of AUROC and average precision.

    ``lost``: anomalous rows of the window that went to quarantine; their episodes count as missed.
    """
    days = series_days(rows, period)
    per_series = count_onsets(flagged, rows, merge_us) / days if days else None
    auroc, precision, share = ranking(scores, rows.labels)
    return Measures(
        rows=len(rows),
        alert_rate=float(flagged.mean()),
        onsets_per_series_day=per_series,
        onsets_per_day=None if per_series is None else per_series * len(np.unique(rows.series)),
        auroc=auroc,
        average_precision=precision,
        anomalous_share=share,
        episodes=count_episodes(rows, flagged, lost),
    )


def ranking(
    scores: NDArray[np.float32], labels: NDArray[np.int8] | None
) -> tuple[float | None, float | None, float | None]:
    """AUROC, average precision, anomalous share over judged rows; None without both kinds of label."""
    if labels is None:
        return None, None, None
    known = labels >= 0
    truth = labels[known]
    if not 0 < truth.sum() < len(truth):
        return None, None, float(truth.mean()) if len(truth) else None
    return (
        float(roc_auc_score(truth, scores[known])),
        float(average_precision_score(truth, scores[known])),
        float(truth.mean()),
    )
