"""The only path from feature values to anomaly scores: in search, evaluation and serving alike."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from features.errors import InputError
from features.history import NO_HISTORY, History, Scorable, expand
from serving.baselines import Baselines, locate
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
        scaled = ((values - self.centre) / self.scale).clip(-self.limit, self.limit)
        return scaled.astype(np.float32, order="C")


@dataclass(frozen=True)
class Scorer:
    """Baselines, history, transform and graph, fitted together and applied in that order."""

    transform: Transform
    graph: Graph
    history: History = NO_HISTORY
    baselines: Baselines | None = None


def score(
    scorer: Scorer,
    values: NDArray[np.float64],
    past: NDArray[np.float64] | None = None,
    at: NDArray[np.int64] | None = None,
) -> NDArray[np.float32]:
    """Anomaly scores (n,) of finite feature values (n, d); higher is more anomalous.

    past: (n, rows, d) finite values of the rows before each, oldest first, where the scorer has a history; at: (n,)
    rows of the baselines, the fleet's without. Infinite and huge values count as the transform's limit. Raises
    InputError for NaN: a missing value is no finding, and a graph would make a number of it.
    """
    for field, given in (("values", values), ("history", past)):
        if given is not None and np.isnan(given).any():
            row = int(np.argwhere(np.isnan(given))[0][0])
            raise InputError(field, "must not hold NaN", f"row {row}")
    return scorer.graph.score(graph_inputs(scorer, values, past, at))


def graph_inputs(
    scorer: Scorer, values: NDArray[np.float64], past: NDArray[np.float64] | None, at: NDArray[np.int64] | None
) -> NDArray[np.float32]:
    """(n, D) what the graph sees of the arguments of ``score``: 0 is ordinary, 1 a robust standard deviation above."""
    if scorer.baselines is not None:
        at = np.full(len(values), len(scorer.baselines.centre) - 1) if at is None else at
        values, past = scorer.baselines.apply(values, at), past if past is None else scorer.baselines.apply(past, at)
    return scorer.transform.apply(expand(scorer.history, values, past))


def score_rows(scorer: Scorer, rows: Scorable, at: NDArray[np.int64] | None = None) -> NDArray[np.float32]:
    """Anomaly scores (n,) of rows whose past lies in a table, a bounded number at a time.

    at: (n,) rows of the baselines; those that ``locate`` finds without.
    """
    if scorer.baselines is not None and at is None:
        at = locate(scorer.baselines, rows.rows)
    parts, done = [np.empty(0, np.float32)], 0
    for values, past in rows.blocks():
        parts.append(score(scorer, values, past, None if at is None else at[done : done + len(values)]))
        done += len(values)
    return np.concatenate(parts)


def prepare(rows: Scorable, baselines: Baselines | None, at: NDArray[np.int64] | None = None) -> NDArray[np.float64]:
    """(n, D) what the transform sees of rows: deviations from their baselines, expanded by history. A whole window."""
    if baselines is None:
        return rows.expanded()
    found = locate(baselines, rows.rows) if at is None else at
    parts, done = [np.empty((0, rows.history.width(rows.values.shape[1])))], 0
    for values, past in rows.blocks():
        part = found[done : done + len(values)]
        deviations = past if past is None else baselines.apply(past, part)
        parts.append(expand(rows.history, baselines.apply(values, part), deviations))
        done += len(values)
    return np.concatenate(parts)
