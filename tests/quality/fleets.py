"""Simulated fleets as `vigia train` sees them, judged by global detectors and by those that know each series."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from evaluation.calibration import AlertBudget, Calibrated, calibrate, count_onsets, series_days, usual_period
from features.fleet.simulator import FEATURES, SCHEMA, Fleet, simulate_fleet
from features.history import NO_HISTORY, Scorable, scorable
from features.rows import Rows, from_table
from features.schema import RegimeRule, Schema
from features.split import Split, Window, assign
from serving.baselines import BaselineTable, locate, make_baselines
from serving.bundle import make_scorer
from serving.manifest import Strata
from serving.scorer import Scorer, prepare, score_rows
from training.baselines import BaselineRules, fit_baselines
from training.detectors.registry import family
from training.objective import fit_detector
from training.scaling import fit_scaling
from training.strata import calibrate_strata

FIT_ROWS = 50_000
BUDGET, RULES = AlertBudget(), BaselineRules()
_ROLES = Schema(FEATURES, "series", "timestamp", "label", "machine", RegimeRule("speed_hz", 1.0, 25.0))


@dataclass(frozen=True)
class Windows:
    """Normal rows of the reference and the calibration window, every row of the test window, and their fault kinds."""

    reference: Scorable
    calibration: Scorable
    test: Scorable
    kinds: NDArray[np.object_]
    period_us: int


@dataclass(frozen=True)
class Judged:
    """A detector, (n,) alert rows of the test window, and what was calibrated: for all rows, or for
    mature ones, and for the others."""

    scorer: Scorer
    flagged: NDArray[np.bool_]
    own: Calibrated
    others: Strata | None = None


def read_fleet(fleet: Fleet, roles: Schema = _ROLES) -> tuple[Rows, NDArray[np.object_]]:
    """Rows in canonical order with their fault kinds; validation would quarantine those without features."""
    table = pa.Table.from_batches(simulate_fleet(fleet), SCHEMA)
    table = table.filter(pa.array(np.isfinite(table["rms"].to_numpy())))
    series = table["series"].to_numpy(zero_copy_only=False)
    order = np.lexsort((table["timestamp"].cast(pa.int64()).to_numpy(), series))
    table = table.take(pa.array(order))
    return from_table(table, roles), table["fault"].to_numpy(zero_copy_only=False)


def cut(rows: Rows, kinds: NDArray[np.object_]) -> Windows:
    """The windows of the default split, of running machines."""
    window, running = assign(rows, Split()), rows.running
    normal = running & ~rows.anomalous
    parts = [(window == w) & normal for w in (Window.REFERENCE, Window.CALIBRATION)]
    test = (window == Window.TEST) & running
    reference, calibration, judged = (scorable(rows.take(part), NO_HISTORY) for part in (*parts, test))
    return Windows(reference, calibration, judged, kinds[test], usual_period(calibration.rows))


def shuffled(rows: Rows, kinds: NDArray[np.object_], seed: int) -> tuple[Rows, NDArray[np.object_]]:
    """Normal rows of running machines alone, exchangeable: within a series each has the time of another."""
    kept = rows.running & ~rows.anomalous
    rows, kinds = rows.take(kept), kinds[kept]
    order = np.lexsort((np.random.default_rng(seed).random(len(rows)), rows.series))
    assert rows.regimes is not None
    return replace(rows, values=rows.values[order], regimes=rows.regimes[order]), kinds


def judge_global(windows: Windows, name: str, seed: int) -> Judged:
    """One detector and one threshold for the whole fleet, fitted on its scaled values."""
    scorer = _fit(windows, None, name, seed)
    scores = score_rows(scorer, windows.calibration)
    own = calibrate(scores, windows.calibration.rows, BUDGET, windows.period_us)
    return Judged(scorer, score_rows(scorer, windows.test) >= own.threshold, own)


def judge_by_series(windows: Windows, name: str, seed: int) -> Judged:
    """Rows as deviations from the baseline of their series and state, a threshold for each stratum of baselines."""
    scorer = _fit(windows, fit_baselines(windows.reference.rows, RULES), name, seed)
    assert scorer.baselines is not None
    normal = windows.reference.rows, windows.calibration
    own, strata = calibrate_strata(scorer, *normal, RULES, BUDGET, windows.period_us)
    thresholds = np.array([own.threshold, strata.young.threshold, strata.unseen.threshold])
    at = locate(scorer.baselines, windows.test.rows)
    flagged = score_rows(scorer, windows.test, at) >= thresholds[scorer.baselines.stratum[at]]
    return Judged(scorer, flagged, own, strata)


def _fit(windows: Windows, table: BaselineTable | None, name: str, seed: int) -> Scorer:
    baselines = make_baselines(table) if table else None
    values = prepare(windows.reference, baselines)
    chosen = np.random.default_rng(seed).choice(len(values), min(FIT_ROWS, len(values)), replace=False)
    reference = values[np.sort(chosen)]
    scaling = fit_scaling(reference)
    model = fit_detector(name, family(name).defaults, seed=seed, scaling=scaling, reference=reference)
    return make_scorer(scaling, model, None, baselines)


def onsets_by_budget(flagged: NDArray[np.bool_], rows: Rows, period_us: int) -> float:
    """Onsets among the rows not known to be anomalous, by the budget: 1 where it is just kept."""
    quiet = rows.take(~rows.anomalous)
    allowed = BUDGET.onsets_per_series_day * series_days(quiet, period_us)
    return count_onsets(flagged[~rows.anomalous], quiet, BUDGET.merge_us) / allowed


@dataclass(frozen=True)
class Episode:
    """A run of anomalous rows of a series; hours from its first row to its first alert row, None without one."""

    kind: str
    delay_h: float | None


def recall(seen: Sequence[Episode]) -> float:
    """Share of the episodes with an alert row."""
    return float(np.mean([episode.delay_h is not None for episode in seen]))


def episodes(rows: Rows, kinds: NDArray[np.object_], flagged: NDArray[np.bool_]) -> Sequence[Episode]:
    """The episodes of (n,) rows in canonical order, with their (n,) kinds and alert rows."""
    assert rows.times is not None
    begins = np.r_[True, (np.diff(rows.series) != 0) | (np.diff(rows.anomalous.astype(int)) != 0)]
    starts = np.flatnonzero(begins)
    found = []
    for start, stop in zip(starts, [*starts[1:], len(rows)], strict=True):
        if rows.anomalous[start]:
            hits = np.flatnonzero(flagged[start:stop])
            delay = float(rows.times[start + hits[0]] - rows.times[start]) / 3.6e9 if len(hits) else None
            found.append(Episode(str(kinds[start]), delay))
    return found
