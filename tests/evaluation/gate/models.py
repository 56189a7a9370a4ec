"""Champions and challengers on simulated fleets, trained in-process, for the tests and tables of the gate."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from evaluation.calibration import AlertBudget, calibrate, usual_period
from evaluation.comparison import FIRST, compare
from evaluation.concentration import concentration, separations
from evaluation.evidence import judge_window
from evaluation.gate.evidence import GateEvidence, contract
from evaluation.injection import Injection, injected_faults, place, reference_spread
from evaluation.paired import Judged
from features.fleet.simulator import FEATURES, SCHEMA, Fleet, simulate_fleet
from features.rows import Rows, from_table
from features.schema import RegimeRule, Schema
from features.split import Split, Window, assign
from serving.bundle import Bundle, make_scorer, open_bundle, pack
from serving.manifest import FORMAT, Manifest
from serving.scorer import score
from serving.verdict import judge
from training.detectors.registry import family
from training.export.cost import operations
from training.objective import fit_detector
from training.scaling import fit_scaling

FIT_ROWS = 5_000
BUDGET = AlertBudget()

See = Callable[[NDArray[np.float64]], NDArray[np.float64]]
"""How a model's own transform reads the raw values of the table, (n, d) to (n, d)."""


def as_it_is(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return values


@dataclass(frozen=True)
class Split4:
    """Valid rows of running machines, and the window of each."""

    rows: Rows
    windows: NDArray[np.int8]

    def window(self, window: Window) -> Rows:
        return self.rows.take(self.windows == window)

    @cached_property
    def spread(self) -> NDArray[np.float64]:
        return reference_spread(self.normal(Window.REFERENCE))

    @cached_property
    def separations(self) -> dict[str, float]:
        return separations(self.rows.values, self.rows.labels, self.rows.features)

    def normal(self, window: Window) -> Rows:
        return self.rows.take((self.windows == window) & ~self.rows.anomalous)


@dataclass(frozen=True)
class Model:
    """A bundle, how it reads raw values, and what its graph costs."""

    bundle: Bundle
    see: See
    operations: float
    size: int

    def flag(self, values: NDArray[np.float64]) -> NDArray[np.bool_]:
        return judge(self.bundle.judge, score(self.bundle.scorer, self.see(values))).alerts


def read_fleet(fleet: Fleet) -> Split4:
    table = pa.Table.from_batches(simulate_fleet(fleet), SCHEMA)
    table = table.filter(pa.array(np.isfinite(table["rms"].to_numpy())))  # validation quarantines rows without features
    schema = Schema(FEATURES, "series", "timestamp", "label", "machine", RegimeRule("speed_hz", 1.0, 25.0))
    rows = from_table(table, schema)
    windows = assign(rows, Split())
    return Split4(rows.take(rows.running), windows[rows.running])


def train(
    data: Split4,
    seed: int,
    *,
    name: str = "isolation_forest",
    see: See = as_it_is,
    taught: See | None = None,
    calibration_rows: int | None = None,
    higher: float = 1.0,
) -> Model:
    """A detector of default parameters; ``taught``: how it read the rows that it was fitted and calibrated on, as it
    reads all of them without; ``higher``: factor on the threshold that calibration set."""
    taught, defaults = taught or see, family(name).defaults
    reference = taught(data.normal(Window.REFERENCE).values)
    scaling = fit_scaling(reference)
    sample = np.random.default_rng(seed).choice(len(reference), min(FIT_ROWS, len(reference)), replace=False)
    graph = fit_detector(name, defaults, seed=seed, scaling=scaling, reference=reference[np.sort(sample)])
    held = data.normal(Window.CALIBRATION)
    if calibration_rows is not None:
        held = held.take(np.arange(calibration_rows))
    scores = score(make_scorer(scaling, graph), taught(held.values))
    found = calibrate(scores, held, BUDGET, usual_period(held))
    manifest = Manifest(
        format=FORMAT,
        family=name,
        parameters=dict(defaults),
        features=list(data.rows.features),
        transform=scaling,
        threshold=found.threshold * higher,
        alpha=found.alpha,
        calibration=found.calibration,
        budget=found.budget,
        seed=seed,
        simulated=True,
    )
    return Model(open_bundle(pack(manifest, graph)), see, operations(graph), len(graph))


def judged(model: Model, data: Split4, *, injection: Injection | None = None, seed: int = 0) -> Judged:
    """The model on the test window; with ``injection``, also its injected faults."""
    test = data.window(Window.TEST)
    scores = score(model.bundle.scorer, model.see(test.values))
    found = None
    if injection is not None:
        places = place(test, ~test.anomalous, injection, 0, seed)
        assert places is not None
        found = injected_faults(lambda values, at: model.flag(values[at]), test, places, data.spread, injection, seed)
    return Judged(scores, judge(model.bundle.judge, scores).alerts, found)


def evidence(data: Split4, challenger: Model, champion: Model | None, *, margin: float = 0.05) -> GateEvidence:
    """All that the gate looks at, of one run on ``data``; faults are injected where nothing is labelled."""
    test = data.window(Window.TEST)
    injection = Injection() if test.labels is None else None
    new = judged(challenger, data, injection=injection)
    comparison = FIRST
    if champion is not None:
        unused = np.zeros(len(test), bool)
        comparison = compare(judged(champion, data, injection=injection), new, test, unused, margin=margin, seed=0)
    budget, normal = challenger.bundle.manifest.budget, ~test.anomalous
    found = judge_window(
        new.scores[normal],
        new.flagged[normal],
        test.take(normal),
        merge_us=BUDGET.merge_us,
        period_us=usual_period(test),
    )
    return GateEvidence(
        validation_failures=(),
        comparison=comparison,
        alerts=found["onsets" if budget.kind == "onsets_per_series_day" else "alert_rate"],
        budget=budget,
        operations=challenger.operations,
        bundle_bytes=challenger.size,
        challenger=contract(challenger.bundle),
        champion=None if champion is None else contract(champion.bundle),
        concentration=concentration(new.flagged, test, BUDGET.merge_us, 0),
        separations=data.separations,
        champion_budget=None if champion is None else champion.bundle.manifest.budget,
    )


def unlabelled(data: Split4) -> Split4:
    """The same rows, of which nobody knows which are anomalous."""
    return replace(data, rows=replace(data.rows, labels=None))


def with_feature(data: Split4, name: str, values: NDArray[np.float64]) -> Split4:
    """The same rows with one more feature, (n,) values."""
    rows = data.rows
    wider = replace(rows, features=(*rows.features, name), values=np.column_stack([rows.values, values]))
    return replace(data, rows=wider)
