"""Recall of injected faults as figures with intervals: of all together, and of each kind and size."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from evaluation.evidence import Figure, ratio_figure, resampled
from evaluation.injection import InjectedFaults
from features.rows import Rows


@dataclass(frozen=True)
class InjectedFigures:
    """recall: over all kinds and sizes; each: by kind, then size; of_each: faults behind one figure of ``each``.

    untouched: share of the same runs of rows that hold an alert as they were, which is what chance gives.
    """

    recall: Figure
    each: Mapping[str, Mapping[float, Figure]]
    of_each: int
    untouched: float

    @property
    def sizes(self) -> tuple[float, ...]:
        """Sizes in robust standard deviations of a series, as they were asked for."""
        return tuple(next(iter(self.each.values())))


def judge_injected(found: InjectedFaults, rows: Rows, *, seed: int = 0, level: float = 0.95) -> InjectedFigures:
    """The faults found, with intervals by the groups or days of ``rows``, the test rows that were scored.

    One place takes every fault in turn, so that a place and not a fault is what is independent.
    """
    by, _ = resampled(rows, seed, level)
    codes = None if by is None else by.clusters.of(found.places.units, found.places.times)
    once = np.ones(len(found.untouched))
    each = {
        kind: {
            size: ratio_figure(f"injected_{kind}_{size:g}", "share", hits, once, codes, by)
            for size, hits in zip(found.sizes, of_kind, strict=True)
        }
        for kind, of_kind in zip(found.kinds, found.detected, strict=True)
    }
    shares = found.detected.mean(axis=(0, 1))
    recall = ratio_figure("injected_faults_recall", "share", shares, once, codes, by)
    return InjectedFigures(recall, each, len(once), float(found.untouched.mean()))
