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

from features.storage import write_text


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
    reference: NDArray[np.float64], current: NDArray[np.float64], features: tuple[str, ...], *, page: Path, title: str
) -> Drift:
    """Write Evidently's page of current against reference rows (n, d), under a title, and return its figures.

    The distance is the normed Wasserstein distance: in standard deviations of the reference, so one limit serves every
    feature. Its memory grows with the rows: give it samples.
    """
    method, limit = "wasserstein", 0.1
    names = list(features)
    frames = [pd.DataFrame(values, columns=names) for values in (reference, current)]
    report = Report(
        [DataDriftPreset(columns=names, num_method=method, num_threshold=limit), DataSummaryPreset(columns=names)]
    )
    snapshot = report.run(current_data=frames[1], reference_data=frames[0])
    page.parent.mkdir(parents=True, exist_ok=True)
    heading = f'<body><p style="font: 1.2em sans-serif; margin: 1em">{html.escape(title)}</p>'
    write_text(page, snapshot.get_html_str(as_iframe=False).replace("<body>", heading, 1))
    return Drift(method, limit, len(reference), len(current), _distances(snapshot.dict()))


def _distances(found: dict[str, Any]) -> dict[str, float]:
    distances = {}
    for metric in found["metrics"]:
        if metric["config"]["type"].endswith("ValueDrift"):
            distances[metric["config"]["column"]] = float(metric["value"])
    return distances
