"""Two signs of a model that should not serve: alerts from a few series alone, and a feature that tells the labels."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from evaluation.calibration import onsets
from evaluation.spans import false_onsets
from features.rows import Rows

MIN_LABELS = 10
_DRAWS = 1_000


@dataclass(frozen=True)
class Concentration:
    """``share`` of the ``events`` (onsets, alert rows without time) that come from the worst tenth of the series.

    by_chance: what as many events reach in 99 of 100 draws where every series has its share of the rows. A few events
    always lie in a few series: only a share above that says something.
    """

    share: float
    by_chance: float
    series: int
    events: int


def concentration(flagged: NDArray[np.bool_], rows: Rows, merge_us: int, seed: int) -> Concentration | None:
    """Concentration of (n,) alert rows; with labels, of false ones alone: a fault lies where it lies.

    None with fewer than ten series or without an event.
    """
    events = flagged if rows.times is None else onsets(flagged, rows, merge_us)
    if rows.labels is not None:
        events = events & (rows.labels == 0) if rows.times is None else false_onsets(events, flagged, rows)
    names, lengths = np.unique(rows.series, return_counts=True)
    total = int(events.sum())
    if len(names) < 10 or not total:
        return None
    worst = -(-len(names) // 10)

    def shares(counts: NDArray[np.int64]) -> NDArray[np.float64]:
        return np.asarray(np.partition(counts, -worst, axis=-1)[..., -worst:].sum(axis=-1) / total)

    found = np.bincount(np.searchsorted(names, rows.series[events]), minlength=len(names))
    draws = np.random.default_rng(seed).multinomial(total, lengths / lengths.sum(), size=_DRAWS)
    return Concentration(float(shares(found)), float(np.quantile(shares(draws), 0.99)), len(names), total)


def separations(
    values: NDArray[np.float64], labels: NDArray[np.int8] | None, features: tuple[str, ...]
) -> dict[str, float]:
    """AUROC of each feature alone against known labels, in whichever direction is better, highest first.

    values: (n, d). Empty with fewer than ten rows of either label, which a feature may well tell apart by chance.
    """
    if labels is None:
        return {}
    known = labels >= 0
    truth = labels[known] == 1
    ones, zeros = int(truth.sum()), int((~truth).sum())
    if min(ones, zeros) < MIN_LABELS:
        return {}
    found = {}
    for name, column in zip(features, values[known].T, strict=True):
        auroc = (rankdata(column)[truth].sum() - ones * (ones + 1) / 2) / (ones * zeros)
        found[name] = float(max(auroc, 1 - auroc))
    return dict(sorted(found.items(), key=lambda item: -item[1]))
