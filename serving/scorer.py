"""The only path from feature values to anomaly scores: in search, evaluation and serving alike."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from features.history import NO_HISTORY, History, Scorable, expand
from serving.graph import Graph


@dataclass(frozen=True)
class Transform:
    """Robust scaling: ``(value - centre) / scale``, clipped to ±limit so that the graph sees finite float32 only.

    centre, scale: (d,) float64 in the units of the features, expanded by history where there is one; scale > 0.
    """

    centre: NDArray[np.float64]
    scale: NDArray[np.float64]
    limit: float

    def apply(self, values: NDArray[np.float64]) -> NDArray[np.float32]:
        """(n, d) feature values -> (n, d) float32 deviations in robust standard deviations."""
        scaled = np.clip((values - self.centre) / self.scale, -self.limit, self.limit)
        return np.ascontiguousarray(scaled, dtype=np.float32)


@dataclass(frozen=True)
class Scorer:
    """Transform and graph, fitted together on features that ``history`` expands."""

    transform: Transform
    graph: Graph
    history: History = NO_HISTORY


def score(scorer: Scorer, values: NDArray[np.float64], past: NDArray[np.float64] | None = None) -> NDArray[np.float32]:
    """Anomaly scores (n,) of finite feature values (n, d); higher is more anomalous.

    past: (n, rows, d) finite values of the rows before each, oldest first, where the scorer has a history.
    """
    return scorer.graph.score(scorer.transform.apply(expand(scorer.history, values, past)))


def score_rows(scorer: Scorer, rows: Scorable) -> NDArray[np.float32]:
    """Anomaly scores (n,) of rows whose past lies in a table, a bounded number at a time."""
    return np.concatenate([np.empty(0, np.float32), *(score(scorer, *block) for block in rows.blocks())])
