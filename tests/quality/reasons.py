"""`python -m tests.quality.reasons [--write]`: how often reasons name the feature that a fault was put into, and what
they cost, on a simulated fleet. Takes two minutes.

Rows of the test window that are no alert, seen as deviations from their series, take an offset in one feature drawn at
random; all are explained, and apart from the others those that then are among the 1 % highest scores of normal rows.
"""

import argparse
import time
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from features.fleet.simulator import Fleet
from features.split import Window
from serving.attribution import attribute
from serving.baselines import locate, make_baselines
from serving.bundle import Bundle
from serving.scorer import graph_inputs, score
from tests.evaluation.gate.models import Split4, read_fleet, train
from tests.quality.document import markdown, publish
from training.baselines import BaselineRules, fit_baselines
from training.detectors.registry import FAMILIES
from training.export.attribution import forest_of
from training.objective import fit_detector

SIZES, ROWS, ALERTS = (4.0, 8.0, 16.0), 10_000, 0.01
HEAD = [
    "detector",
    "offset",
    "named first",
    "alerts",
    "named first in alerts",
    "furthest out in alerts",
    "squared errors in alerts",
    "µs a row: alone, in 1,000",
]


def deviations(sensors: int, seed: int) -> Split4:
    """A fleet whose values are deviations from the baselines of its series."""
    data = read_fleet(Fleet(sensors, 10, seed))
    baselines = make_baselines(fit_baselines(data.normal(Window.REFERENCE), BaselineRules(288, 23.0, 50.0, 0.25)))
    seen = baselines.apply(data.rows.values, locate(baselines, data.rows))
    return replace(data, rows=replace(data.rows, values=seen))


def explained(data: Split4, name: str) -> Bundle:
    """A bundle of a default detector, with what its reasons need."""
    bundle = train(data, 0, name=name).bundle
    reference = data.normal(Window.REFERENCE).values[:: 1 + len(data.rows) // ROWS]
    model = fit_detector(
        name, bundle.manifest.parameters, seed=0, scaling=bundle.manifest.transform, reference=reference
    )
    scorer = replace(bundle.scorer, graph=type(bundle.scorer.graph)(model))
    forest = forest_of(model, graph_inputs(scorer, reference, None, None))
    return replace(bundle, scorer=scorer, forest=forest)


def lines(data: Split4, name: str) -> Iterator[list[str]]:
    """One line a size of the offset."""
    bundle, rng = explained(data, name), np.random.default_rng(0)
    normal = data.normal(Window.TEST).values
    scores = score(bundle.scorer, normal)
    threshold = float(np.quantile(scores, 1 - ALERTS))
    quiet = normal[scores < threshold]
    quiet = quiet[rng.choice(len(quiet), min(ROWS, len(quiet)), replace=False)]
    cost = f"{_cost(bundle, quiet, 1):,.0f}, {_cost(bundle, quiet, 1_000):,.0f}"
    sizes = [_faulty(bundle, quiet, size, threshold, rng) for size in SIZES]
    for label, found in [*zip((f"{size:g}" for size in SIZES), sizes, strict=True), ("all", np.concatenate(sizes))]:
        alert, right, furthest, squared = found.T
        of_alerts = [f"{column[alert].mean():.1%}" for column in (right, furthest, squared)]
        if bundle.scorer.graph.errors(graph_inputs(bundle.scorer, quiet[:1], None, None)) is None:
            of_alerts[-1] = ""
        yield [name.replace("_", " "), label, f"{right.mean():.1%}", f"{alert.sum():,}", *of_alerts, cost]


def _faulty(bundle: Bundle, quiet: np.ndarray, size: float, threshold: float, rng: np.random.Generator) -> np.ndarray:
    """(n, 4) of quiet rows with an offset in one feature each: is it an alert; does the first reason, the largest
    deviation, the largest squared error name that feature?"""
    hit, sign = rng.integers(0, quiet.shape[1], len(quiet)), rng.choice([-1.0, 1.0], len(quiet))
    rows = quiet.copy()
    rows[np.arange(len(rows)), hit] += size * sign * bundle.scorer.transform.scale[hit]
    inputs = graph_inputs(bundle.scorer, rows, None, None)
    errors = bundle.scorer.graph.errors(inputs)
    named = (attribute(bundle, rows, None, None).amounts, np.abs(inputs), np.abs(inputs) if errors is None else errors)
    alert = score(bundle.scorer, rows) >= threshold
    return np.stack([alert, *(found.argmax(axis=1) == hit for found in named)], axis=1)


def _cost(bundle: Bundle, rows: np.ndarray, k: int) -> float:
    """Best of five, in µs of processor time a row, of k rows at once."""
    times = []
    for _ in range(5):
        start = time.process_time()
        attribute(bundle, rows[:k], None, None)
        times.append(time.process_time() - start)
    return 1e6 * min(times) / k


def main() -> None:
    """Print the table; with --write put it into docs/reasons.md."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sensors", type=int, default=30)
    parser.add_argument("--write", action="store_true")
    asked = parser.parse_args()
    data = deviations(asked.sensors, 7)
    found = [line for name in FAMILIES for line in lines(data, name)]
    publish({"reasons": markdown(HEAD, found)}, write=asked.write, to="reasons.md")


if __name__ == "__main__":
    main()
