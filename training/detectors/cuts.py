"""Where to cut the nodes of a level of trees, all at once: at random, or where the sides are most alike within.

A cut takes the float32 projections of all rows, node after node, and where nodes start; it gives each node's threshold,
which is at or above one projection and below another, and its gain, -1 if all projections of the node are equal.
"""

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from training.export.ensemble import round_down

Cut: TypeAlias = Callable[
    [NDArray[np.float32], NDArray[np.intp], np.random.Generator], tuple[NDArray[np.float32], NDArray[np.float64]]
]


def random_cuts(
    projections: NDArray[np.float32], starts: NDArray[np.intp], rng: np.random.Generator
) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """Uniform between the lowest and the highest projection, as Liu et al. 2008; every cut gains 0."""
    low, high = np.minimum.reduceat(projections, starts), np.maximum.reduceat(projections, starts)
    threshold = round_down(low + rng.random(len(starts)) * (high.astype(np.float64) - low))
    below = np.minimum(threshold, np.nextafter(high, np.float32(-np.inf)))  # the highest row goes the other way
    return below, np.where(low < high, 0.0, -1.0)


def fair_cuts(
    projections: NDArray[np.float32], starts: NDArray[np.intp], _rng: np.random.Generator
) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """Halfway between the two neighbours of most pooled gain (Cortes 2021).

    The gain is ``1 - (n_yes σ_yes + n_no σ_no) / (n σ)``, from 0 to 1: how much narrower the sides are than the whole.
    """
    sizes = np.diff(starts, append=len(projections))
    owner = np.repeat(np.arange(len(starts)), sizes)
    ordered = projections[np.lexsort((projections, owner))]
    low, high = ordered[starts].astype(np.float64), ordered[starts + sizes - 1].astype(np.float64)
    # To [0, 1] within each node, then about the mean: sums over all nodes must not drown the narrow ones.
    scaled = (ordered - low[owner]) / np.where(low < high, high - low, 1)[owner]
    scaled -= (np.add.reduceat(scaled, starts) / sizes)[owner]
    sums, squares = (np.cumsum(part) - (np.cumsum(part) - part)[starts][owner] for part in (scaled, scaled**2))
    total = squares[starts + sizes - 1][owner]
    left = np.arange(len(ordered)) - starts[owner] + 1
    right = np.maximum(sizes[owner] - left, 1)
    spread_left = np.sqrt(np.maximum(left * squares - sums**2, 0))  # standard deviation times rows
    spread_right = np.sqrt(np.maximum(right * (total - squares) - sums**2, 0))
    whole = np.sqrt(np.maximum(sizes[owner] * total, 1e-300))
    gain = np.maximum(1 - (spread_left + spread_right) / whole, 0)
    following = np.append(ordered[1:], ordered[-1:])
    gain[(ordered == following) | (left == sizes[owner])] = -1
    best = np.maximum.reduceat(gain, starts)
    at = np.minimum.reduceat(np.where(gain == best[owner], np.arange(len(gain)), len(gain)), starts)
    return round_down((ordered[at].astype(np.float64) + following[at]) / 2), best
