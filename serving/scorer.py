"""The only path from feature values to anomaly scores: in search, evaluation and serving alike."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from serving.graph import Graph


@dataclass(frozen=True)
class Transform:
    """Robust scaling: ``(value - centre) / scale``, clipped to ±limit so that the graph sees finite float32 only.

    centre, scale: (d,) float64 in the units of the features; scale > 0.
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
    """Transform and graph, fitted together."""

    transform: Transform
    graph: Graph


def score(scorer: Scorer, values: NDArray[np.float64]) -> NDArray[np.float32]:
    """Anomaly scores (n,) of finite feature values (n, d); higher is more anomalous."""
    return scorer.graph.score(scorer.transform.apply(values))
