"""The Evidently door: drift of one window against another, as an offline page and as figures."""

import html
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from evidently import Report
from evidently.presets import DataDriftPreset, DataSummaryPreset
from numpy.typing import NDArray

from features.errors import NotEnoughDataError
from features.storage import write_text

MIN_ROWS = 100


@dataclass(frozen=True)
class Drift:
    """Per feature the distance, larger is more drift, and whether it is at or above the method's limit."""

    method: str
    limit: float
    reference_rows: int
    current_rows: int
    distances: Mapping[str, float]

    @property
    def drifted(self) -> tuple[str, ...]:
        """Features at or above the limit, most drifted first."""
        ranked = sorted(self.distances.items(), key=lambda item: -item[1])
        return tuple(name for name, distance in ranked if distance >= self.limit)


def report_drift(
    reference: NDArray[np.float64],
    current: NDArray[np.float64],
    features: tuple[str, ...],
    *,
    max_rows: int,
    seed: int,
    page: Path,
    title: str,
) -> Drift:
    """Write Evidently's page of current against reference rows (n, d), under a title, and return its figures.

    Both are sampled to ``max_rows`` with ``seed`` first. The distance is the normed Wasserstein distance: in standard
    deviations of the reference, so one limit serves every feature. Raises NotEnoughDataError below MIN_ROWS rows, where
    any report would cry drift.
    """
    for name, values in (("reference", reference), ("current", current)):
        if len(values) < MIN_ROWS:
            raise NotEnoughDataError(f"drift {name} window", f"needs at least {MIN_ROWS} rows", len(values))
    method, limit = "wasserstein", 0.1
    names = list(features)
    rng = np.random.default_rng(seed)
    frames = [pd.DataFrame(_sample(values, max_rows, rng), columns=names) for values in (reference, current)]
    report = Report(
        [DataDriftPreset(columns=names, num_method=method, num_threshold=limit), DataSummaryPreset(columns=names)]
    )
    snapshot = report.run(current_data=frames[1], reference_data=frames[0])
    page.parent.mkdir(parents=True, exist_ok=True)
    heading = f'<body><p style="font: 1.2em sans-serif; margin: 1em">{html.escape(title)}</p>'
    write_text(page, snapshot.get_html_str(as_iframe=False).replace("<body>", heading, 1))
    return Drift(method, limit, len(frames[0]), len(frames[1]), _distances(snapshot.dict()))


def _sample(values: NDArray[np.float64], rows: int, rng: np.random.Generator) -> NDArray[np.float64]:
    if len(values) <= rows:
        return values
    return values[np.sort(rng.choice(len(values), rows, replace=False))]


def _distances(found: dict[str, Any]) -> dict[str, float]:
    distances = {}
    for metric in found["metrics"]:
        if metric["config"]["type"].endswith("ValueDrift"):
            distances[metric["config"]["column"]] = float(metric["value"])
    return distances
