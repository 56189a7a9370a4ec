"""Extended forest: rows that cuts along two features at once isolate early are anomalous.

Sources: Hariri, Kind, Brunner: Extended Isolation Forest, 2019 (random cuts of random hyperplanes); Cortes: Revisiting
randomized choices in isolation forests, 2021 (fair cuts, by pooled gain). Fair cuts find clustered anomalies that
random ones overlook, but tell the far out from the extreme less well, and so fail alone under a small alert budget: the
mean depth is over trees of both kinds.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.detectors.cuts import Cut, fair_cuts, random_cuts
from training.export.ensemble import Trees, join, path_length
from training.export.hyperplanes import export_hyperplanes
from training.space import Choice, Parameters, Real, Report, Space, Whole, no_report

DEFAULTS: Parameters = {"n_estimators": 100, "max_samples": 256, "ndim": 2, "fair_share": 0.25, "candidates": 3}
SPACE: Space = {
    "n_estimators": Whole(50, 200),
    "max_samples": Choice((64, 128, 256, 512)),
    "ndim": Choice((1, 2)),
    "fair_share": Real(0.0, 1.0),
    "candidates": Whole(1, 5),
}
_DIRECTIONS = 256  # shared by all trees: as good as new ones at each split, and far fewer to project on
_WEIGHTS = np.array([1, -1, 1 / 2, -1 / 2, 1 / 4, -1 / 4, 1 / 8, -1 / 8], np.float32)  # see export_hyperplanes


@dataclass(frozen=True)
class Directions:
    """(p,) arrays: direction k is feature ``first[k]`` plus ``weight[k]`` times feature ``second[k]``."""

    first: NDArray[np.intp]
    second: NDArray[np.intp]
    weight: NDArray[np.float32]

    def project(self, values: NDArray[np.float32], k: NDArray[np.intp]) -> NDArray[np.float32]:
        """Row i of (m, d) values on direction k[i] -> (m,) float32."""
        rows = np.arange(len(values))
        return values[rows, self.first[k]] + self.weight[k] * values[rows, self.second[k]]

    def matrix(self, d: int) -> NDArray[np.float32]:
        """(d, p): ``values @ matrix`` has every row on every direction."""
        columns, matrix = np.arange(len(self.first)), np.zeros((d, len(self.first)), np.float32)
        matrix[self.first, columns] = 1
        matrix[self.second, columns] += self.weight
        return matrix


def fit(
    values: NDArray[np.float32],
    parameters: Parameters,
    seed: int,
    *,
    report: Report = no_report,  # noqa: ARG001  # fitted in one step
) -> bytes:
    """ONNX graph of a forest fitted on transformed features (n, d)."""
    directions, trees, samples = grow(values, parameters, seed)
    return export_hyperplanes(directions.matrix(values.shape[1]), trees, samples)


def grow(values: NDArray[np.float32], parameters: Parameters, seed: int) -> tuple[Directions, Trees, int]:
    """Directions, trees whose columns are directions, and rows per tree.

    parameters: ndim: features in a direction, 1 or 2; fair_share: share of the trees that take the cut of most gain on
    ``candidates`` random directions; the others cut the first of them that they can, at a random place.
    """
    rng = np.random.default_rng(seed)
    directions = _directions(values.shape[1], int(parameters["ndim"]), rng)
    count, samples = int(parameters["n_estimators"]), min(int(parameters["max_samples"]), len(values))
    fair = round(count * parameters["fair_share"])
    kinds = [(random_cuts, count - fair), (fair_cuts, fair)]
    candidates = int(parameters["candidates"])
    parts = [_grow(values, directions, samples, n, candidates, cut, rng) for cut, n in kinds if n]
    return directions, join(parts), samples


def _directions(d: int, ndim: int, rng: np.random.Generator) -> Directions:
    if ndim == 1 or d == 1:
        return Directions(np.arange(d), np.arange(d), np.zeros(d, np.float32))
    first = rng.integers(0, d, _DIRECTIONS)
    second = (first + rng.integers(1, d, _DIRECTIONS)) % d
    return Directions(first, second, rng.choice(_WEIGHTS, _DIRECTIONS))


def _grow(
    values: NDArray[np.float32],
    directions: Directions,
    samples: int,
    count: int,
    candidates: int,
    cut: Cut,
    rng: np.random.Generator,
) -> Trees:
    """All trees at once, level by level; ``rows`` holds the rows of every node of the level, node after node."""
    rows = np.concatenate([rng.choice(len(values), samples, replace=False, shuffle=False) for _ in range(count)])
    starts, tree, grown, levels = np.arange(count) * samples, np.arange(count), 0, []
    deepest = math.ceil(math.log2(max(samples, 2)))
    for level in range(deepest + 1):
        nodes = np.arange(len(starts))
        sizes = np.diff(starts, append=len(rows))
        owner = np.repeat(nodes, sizes)
        column, threshold, gain = np.zeros_like(nodes), np.zeros(len(nodes), np.float32), np.full(len(nodes), -1.0)
        for _ in range(candidates if level < deepest else 0):
            tried = rng.integers(0, len(directions.first), len(nodes))
            place, value = cut(directions.project(values[rows], tried[owner]), starts, rng)
            better = value > gain
            column[better], threshold[better], gain[better] = tried[better], place[better], value[better]
        split = gain >= 0
        child = 2 * (np.cumsum(split) - 1)  # of those on the next level
        yes, no = (np.where(split, grown + len(nodes) + child + k, 0) for k in (0, 1))
        levels.append(Trees(tree, grown + nodes, column, threshold, yes, no, ~split, level + path_length(sizes)))
        if not split.any():
            break
        rows, owner = rows[split[owner]], owner[split[owner]]
        side = child[owner] + (directions.project(values[rows], column[owner]) > threshold[owner])
        order = np.argsort(side, kind="stable")
        rows, starts = rows[order], np.searchsorted(side[order], np.arange(2 * split.sum()))
        grown, tree = grown + len(nodes), np.repeat(tree[split], 2)
    return _by_tree(levels)


def _by_tree(levels: list[Trees]) -> Trees:
    """Nodes that are numbered level by level through all trees, in order of trees and numbered within each."""
    joined = {key: np.concatenate([vars(level)[key] for level in levels]) for key in vars(levels[0])}
    order = np.argsort(joined["tree"], kind="stable")
    tree = joined["tree"][order]
    number = np.empty_like(order)
    number[order] = np.arange(len(order)) - np.searchsorted(tree, tree)
    for key in ("node", "yes", "no"):
        joined[key] = np.where(joined["leaf"] & (key != "node"), 0, number[joined[key]])
    return Trees(**{key: value[order] for key, value in joined.items()})
