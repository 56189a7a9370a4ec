"""How far scores depend on the seed: agreement of the same detector fitted several times, where no label can judge."""

from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

SEEDS = 5
_TOP = 0.01


@dataclass(frozen=True)
class Stability:
    """Means over all pairs of ``seeds`` fits, and the lowest pair: Spearman's rank correlation, and the share of the
    top 1 % of the rows of one that is in the top 1 % of the other."""

    seeds: int
    spearman: float
    lowest_spearman: float
    overlap: float
    lowest_overlap: float


def stability(scores: NDArray[np.float32]) -> Stability:
    """Agreement of (s, n) scores of the same n rows by s >= 2 fits; a constant score agrees with nothing: 0."""
    ranks = np.array([rankdata(row) for row in scores])
    ranks -= ranks.mean(axis=1, keepdims=True)
    norms = np.sqrt((ranks**2).sum(axis=1))
    count = max(1, round(_TOP * scores.shape[1]))
    top = [frozenset(np.argsort(-row, kind="stable")[:count].tolist()) for row in scores]
    pairs = list(combinations(range(len(scores)), 2))
    spearman = [float(ranks[a] @ ranks[b] / (norms[a] * norms[b])) if norms[a] * norms[b] else 0.0 for a, b in pairs]
    overlap = [len(top[a] & top[b]) / count for a, b in pairs]
    return Stability(len(scores), float(np.mean(spearman)), min(spearman), float(np.mean(overlap)), min(overlap))
