"""Reasons: what each feature adds to the score of a row, and on which side of its usual value it is.

Two methods; the amounts of both sum to the score of the row less that of an ordinary one. ``expected_path``, of
forests: the credits of ``serving.forest``, with what raises the score shared by credit times deviation.
``first_and_last``, of any other graph: the mean of what a feature changes as the first one that leaves the ordinary
row, and as the last one that joins the others, which is the Shapley value where features act in pairs, as in a linear
autoencoder. The squared errors of an autoencoder are not taken for reasons: it smears what is wrong with one input over
all outputs (docs/reasons.md has the figures).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from features.history import Scorable
from serving.bundle import Bundle
from serving.forest import Forest, credits
from serving.messages import Reason, Reasons, RowReasons
from serving.scorer import graph_inputs

MAX_EXPLAINED = 100
_TOP = 3
_CHUNK_ROWS = 256  # a few MB of nodes and projections
_CHUNK_VALUES = 4_000_000

Method = Literal["expected_path", "first_and_last"]


@dataclass(frozen=True)
class Attribution:
    """Of k rows and d features: (k, d) amounts in the unit of the score, below 0 where a feature makes the row look
    more ordinary; (k, d) True where the row's own value is above its centre (that of its series with baselines)."""

    amounts: NDArray[np.float64]
    above: NDArray[np.bool_]

    @property
    def shares(self) -> NDArray[np.float64]:
        """(k, d) each feature's share of what raises the score of its row, summing to 1; 0 where nothing does."""
        raising = np.maximum(self.amounts, 0.0)
        totals = raising.sum(axis=1, keepdims=True)
        return np.asarray(np.divide(raising, totals, out=np.zeros_like(raising), where=totals > 0))


def method_of(bundle: Bundle) -> Method:
    """How the scores of a bundle are attributed."""
    return "first_and_last" if bundle.forest is None else "expected_path"


def attribute(
    bundle: Bundle,
    values: NDArray[np.float64],
    past: NDArray[np.float64] | None,
    at: NDArray[np.int64] | None,
) -> Attribution:
    """What made the scores of ``serving.scorer.score`` for the same arguments; a feature answers for its history too.

    values: (k, d); past: (k, rows, d) or None; at: (k,) rows of the baselines, the fleet's without.
    """
    d, size = len(bundle.manifest.features), _CHUNK_ROWS
    if bundle.forest is None:
        size = max(1, _CHUNK_VALUES // (2 * d * bundle.scorer.graph.width))
    parts, above = [np.empty((0, d))], [np.empty((0, d), bool)]
    for start in range(0, len(values), size):
        rows = slice(start, start + size)
        before, place = past if past is None else past[rows], at if at is None else at[rows]
        inputs = graph_inputs(bundle.scorer, values[rows], before, place)
        parts.append(_expected_path(bundle.forest, inputs, d) if bundle.forest else _first_and_last(bundle, inputs))
        above.append(inputs[:, :d] > 0)
    return Attribution(np.concatenate(parts), np.concatenate(above))


def attribute_rows(bundle: Bundle, rows: Scorable, at: NDArray[np.int64] | None) -> Attribution:
    """The same for rows whose past lies in a table; at: (n,) rows of the baselines or None."""
    d, parts, done = len(bundle.manifest.features), [], 0
    for values, past in rows.blocks():
        parts.append(attribute(bundle, values, past, None if at is None else at[done : done + len(values)]))
        done += len(values)
    amounts, above = [part.amounts for part in parts], [part.above for part in parts]
    return Attribution(np.concatenate([np.empty((0, d)), *amounts]), np.concatenate([np.empty((0, d), bool), *above]))


def top_reasons(found: Attribution, features: Sequence[str]) -> list[list[Reason]]:
    """The three features that raise the score of each row most; fewer where fewer do."""
    shares = found.shares
    order = np.argsort(-shares, axis=1, kind="stable")[:, :_TOP]
    return [
        [Reason(features[k], float(share[k]), "above" if above[k] else "below") for k in chosen if share[k] > 0]
        for chosen, share, above in zip(order, shares, found.above, strict=True)
    ]


def drivers(found: Attribution, features: Sequence[str]) -> Mapping[str, float]:
    """Share of all rows that each feature explains, largest first, summing to 1; every row counts the same.

    Empty without rows, or where nothing raises a score.
    """
    total = found.shares.sum(axis=0)
    if not total.sum():
        return {}
    order = np.argsort(-total, kind="stable")
    return {features[k]: float(total[k] / total.sum()) for k in order if total[k] > 0}


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
    found = attribute(bundle, values[chosen], past if past is None else past[chosen], at if at is None else at[chosen])
    return Reasons(
        method=method_of(bundle),
        rows=[
            RowReasons(int(row), top)
            for row, top in zip(chosen, top_reasons(found, bundle.manifest.features), strict=True)
        ],
        left_out=len(rows) - len(chosen),
    )


def _first_and_last(bundle: Bundle, inputs: NDArray[np.float32]) -> NDArray[np.float64]:
    """(k, d) half of what each feature's columns of (k, D) inputs add alone, and half of what they add at last.

    0 is the centre of the transform, and there a value is ordinary. What is then missing in the sum, since more than
    two features make it together, is shared by size.
    """
    d, graph, (k, width) = len(bundle.manifest.features), bundle.scorer.graph, inputs.shape
    own = np.arange(width)[None] % d == np.arange(d)[:, None]  # (d, D)
    alone, without = np.where(own, inputs[:, None], 0), np.where(own, 0, inputs[:, None])
    asked = np.concatenate([np.zeros((1, width)), inputs, alone.reshape(-1, width), without.reshape(-1, width)])
    scores = graph.score(asked.astype(np.float32)).astype(np.float64)
    ordinary, full = scores[0], scores[1 : k + 1, None]
    first, rest = scores[k + 1 :].reshape(2, k, d)
    amounts = (first - ordinary + full - rest) / 2
    missing = full - ordinary - amounts.sum(axis=1, keepdims=True)
    sizes = np.abs(amounts) + np.finfo(np.float32).tiny
    return np.asarray(amounts + missing * sizes / sizes.sum(axis=1, keepdims=True))


def _expected_path(forest: Forest, inputs: NDArray[np.float32], d: int) -> NDArray[np.float64]:
    """(k, d) of each feature and all that history makes of it, from (k, D) inputs; sums as the credits do.

    Beyond what its few hundred rows hold, a tree cuts off any value as soon as another, however much further out one of
    them is. So the credits above 0 are shared anew by credit times size of deviation; those below 0 stand.
    """
    found = credits(forest, inputs)
    raising = np.maximum(found, 0.0)
    weights = raising * np.abs(inputs.astype(np.float64))
    total, weight = raising.sum(axis=1, keepdims=True), weights.sum(axis=1, keepdims=True)
    shared = np.divide(weights * total, weight, out=raising, where=weight > 0)
    return np.asarray((shared + np.minimum(found, 0.0)).reshape(len(found), -1, d).sum(axis=1))
