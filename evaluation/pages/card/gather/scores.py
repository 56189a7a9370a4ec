"""Test scores as counts in bins, and as a precision–recall curve of bounded length."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import precision_recall_curve

from evaluation.pages.card.model import Curve, ScoreBins
from evaluation.spans import labelled_spans
from features.rows import Rows

_BINS = 48
_POINTS = 200
_SKEWED = 20  # times the median: from here on a linear axis shows one bin
_DIGITS = 4


def bin_scores(scores: NDArray[np.float32], labels: NDArray[np.int8] | None, threshold: float) -> ScoreBins:
    """Count (n,) scores, n >= 1, by label; the threshold is an edge, so that bins from it on hold alert rows alone."""
    low, high, middle = float(scores.min()), float(scores.max()), float(np.median(scores))
    scale: Literal["linear", "log"] = "log" if low > 0 and high > _SKEWED * middle else "linear"
    edges = _edges(low, high, threshold, scale)
    kinds = np.full(len(scores), -1) if labels is None else labels
    counts = [np.histogram(scores[kinds == kind].astype(np.float64), edges)[0] for kind in (0, 1, -1)]
    return ScoreBins(scale, tuple(edges.tolist()), *(tuple(count.tolist()) for count in counts))


def _edges(low: float, high: float, threshold: float, scale: Literal["linear", "log"]) -> NDArray[np.float64]:
    if not low < high:
        low, high, scale = low - 0.5, high + 0.5, "linear"
    space = np.geomspace if scale == "log" else np.linspace
    if not low < threshold < high:
        return np.asarray(space(low, high, _BINS + 1))
    place = np.log if scale == "log" else np.asarray
    share = float((place(threshold) - place(low)) / (place(high) - place(low)))
    below = min(max(1, round(share * _BINS)), _BINS - 1)
    left, right = space(low, threshold, below + 1), space(threshold, high, _BINS - below + 1)
    return np.concatenate([left[:-1], [threshold], right[1:]])


def trace_curve(scores: NDArray[np.float32], flagged: NDArray[np.bool_], rows: Rows) -> Curve | None:
    """Precision–recall of (n,) scores on fully labelled spans, at 200 recalls at most; None without both labels."""
    spans = labelled_spans(rows)
    if rows.labels is None or len(np.unique(rows.labels[spans])) < 2:
        return None
    truth, alerts = rows.labels[spans] == 1, flagged[spans]
    precision, recall, _ = precision_recall_curve(truth, scores[spans])
    precision, recall = precision[::-1], recall[::-1]
    wanted = np.linspace(0, 1, min(_POINTS, len(recall)))
    at = np.unique(np.minimum(np.searchsorted(recall, wanted), len(recall) - 1))
    hits = int((alerts & truth).sum())
    return Curve(
        rows=int(spans.sum()),
        anomalous_share=float(truth.mean()),
        recall=_rounded(recall[at]),
        precision=_rounded(precision[at]),
        recall_at=hits / int(truth.sum()),
        precision_at=hits / int(alerts.sum()) if alerts.any() else None,
    )


def _rounded(values: NDArray[np.float64]) -> tuple[float, ...]:
    return tuple(round(float(value), _DIGITS) for value in values)
