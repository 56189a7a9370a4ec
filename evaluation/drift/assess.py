"""Drift of current rows against reference rows, as the detector sees them: effects, moved series, verdict."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evaluation.drift.effects import Effect, Seen, measure_effects
from evaluation.drift.independence import Units, independent_units
from evaluation.drift.moved import MovedSeries, moved_series
from evaluation.drift.verdict import DriftLimits, DriftVerdict, decide
from features.errors import NotEnoughDataError
from features.rows import Rows
from serving.baselines import Baselines, locate

MIN_ROWS = 100


@dataclass(frozen=True)
class Assessment:
    """What was found, and from how many rows; seen_as: what was compared, in words."""

    reference_rows: int
    current_rows: int
    reference_units: Units
    current_units: Units
    seen_as: str
    effects: tuple[Effect, ...]
    series: MovedSeries
    limits: DriftLimits
    verdict: DriftVerdict


def assess(reference: Rows, current: Rows, baselines: Baselines | None, limits: DriftLimits, seed: int) -> Assessment:
    """Compare two samples of rows. With baselines, as deviations of each row from those of its series and state: a
    fleet may then change its mixture of machines and loads, and nothing has drifted.

    Raises NotEnoughDataError below MIN_ROWS rows, where any figure would cry drift.
    """
    for name, rows in (("reference", reference), ("current", current)):
        if len(rows) < MIN_ROWS:
            raise NotEnoughDataError(f"drift {name} window", f"needs at least {MIN_ROWS} rows", len(rows))
    old, new = _seen(reference, baselines), _seen(current, baselines)
    before, after = Seen(old, independent_units(reference, seed)), Seen(new, independent_units(current, seed))
    effects = measure_effects(before, after, reference.features)
    series = moved_series(reference, old, current, new, limits.series_shift)
    return Assessment(
        len(reference),
        len(current),
        before.units,
        after.units,
        "values" if baselines is None else "deviations from the baseline of each series",
        effects,
        series,
        limits,
        decide(effects, series, limits),
    )


def _seen(rows: Rows, baselines: Baselines | None) -> NDArray[np.float64]:
    return rows.values if baselines is None else baselines.apply(rows.values, locate(baselines, rows))
