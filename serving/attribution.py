"""Reasons: which features make a row an alert."""

import numpy as np
from numpy.typing import NDArray

from features.history import expand
from serving.bundle import Bundle
from serving.messages import Reason, Reasons, RowReasons

MAX_EXPLAINED = 100
_TOP = 3


def explain(
    bundle: Bundle,
    rows: NDArray[np.int64],
    scores: NDArray[np.float32],
    values: NDArray[np.float64],
    past: NDArray[np.float64] | None,
    at: NDArray[np.int64] | None,
) -> Reasons:
    """Reasons of the alert ``rows`` among n, at most MAX_EXPLAINED of them, those with the highest scores.

    scores: (n,); values: (n, d); past: (n, rows, d) or None; at: (n,) rows of the baselines or None.
    """
    chosen = rows[np.argsort(-scores[rows], kind="stable")[:MAX_EXPLAINED]]
    inputs = _inputs(bundle, values[chosen], past if past is None else past[chosen], at if at is None else at[chosen])
    features = bundle.manifest.features
    errors = bundle.scorer.graph.errors(inputs)
    amounts = occlude(bundle, inputs) if errors is None else fold(errors, len(features))
    totals = amounts.sum(axis=1, keepdims=True)
    shares = np.divide(amounts, totals, out=np.zeros_like(amounts), where=totals > 0)
    return Reasons(
        method="occlusion" if errors is None else "squared_errors",
        rows=[RowReasons(int(row), _top(share, features)) for row, share in zip(chosen, shares, strict=True)],
        left_out=len(rows) - len(chosen),
    )


def fold(errors: NDArray[np.float32], d: int) -> NDArray[np.float64]:
    """(k, D) what each expanded feature adds -> (k, d) what each feature and all that history makes of it adds."""
    return np.asarray(errors.astype(np.float64).reshape(len(errors), -1, d).sum(axis=1))


def occlude(bundle: Bundle, inputs: NDArray[np.float32]) -> NDArray[np.float64]:
    """(k, d) how far the score falls, at least 0, when one feature's columns of the graph's inputs (k, D) are 0.

    0 is the centre of the transform: what evaluation.measures.drivers sets, for all features in one call.
    """
    d, graph = len(bundle.manifest.features), bundle.scorer.graph
    hidden = np.repeat(inputs[:, None], d, axis=1)
    for feature in range(d):
        hidden[:, feature, feature::d] = 0
    without = graph.score(hidden.reshape(-1, inputs.shape[1])).reshape(len(inputs), d)
    return np.maximum(graph.score(inputs)[:, None].astype(np.float64) - without, 0.0)


def _inputs(
    bundle: Bundle, values: NDArray[np.float64], past: NDArray[np.float64] | None, at: NDArray[np.int64] | None
) -> NDArray[np.float32]:
    scorer = bundle.scorer
    if scorer.baselines is not None and at is not None:
        values, past = scorer.baselines.apply(values, at), past if past is None else scorer.baselines.apply(past, at)
    return scorer.transform.apply(expand(scorer.history, values, past))


def _top(share: NDArray[np.float64], features: list[str]) -> list[Reason]:
    order = np.argsort(-share, kind="stable")[:_TOP]
    return [Reason(features[k], float(share[k])) for k in order if share[k] > 0]
