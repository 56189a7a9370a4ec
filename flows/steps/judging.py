"""What a bundle is worth on the test window: each figure that the gate, the pages and the last screen state, once."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from evaluation.calibration import usual_period
from evaluation.concentration import Concentration, concentration, separations
from evaluation.episodes import LostRows
from evaluation.evidence import Evidence, Figure, judge_alerts, judge_window
from evaluation.stability import SEEDS, Stability, stability
from features.history import Scorable
from features.rows import Rows
from features.split import Window
from flows.config.train import TrainConfig
from flows.steps.fitting import Fitted, alert_budget, refit
from serving.attribution import attribute_rows, drivers
from serving.baselines import Stratum, locate
from serving.bundle import Bundle, make_scorer
from serving.scorer import prepare, score, score_rows
from serving.verdict import judge

_EXPLAINED_ROWS = 500
_STABILITY_ROWS = 10_000
_LEAK_ROWS = 250_000


@dataclass(frozen=True)
class Scored:
    """n rows and what one bundle says of them: (n,) scores, alert rows, and strata of the baselines."""

    rows: Scorable
    scores: NDArray[np.float32]
    flagged: NDArray[np.bool_]
    strata: NDArray[np.int8]

    def take(self, mask: NDArray[np.bool_]) -> "Scored":
        """The rows where ``mask`` is True."""
        return Scored(self.rows.take(mask), self.scores[mask], self.flagged[mask], self.strata[mask])


@dataclass(frozen=True)
class Judgement:
    """What is known of a bundle from the test window, without regard to any other bundle.

    alerts: onsets, or the alert rate where the budget is one of rows, of rows not known to be anomalous; by_stratum:
    how many rows each threshold judged; stability: None where labels judge; separations: AUROC of single features,
    highest first; drivers: share of the highest alert rows that each feature explains.
    """

    scored: Scored
    evidence: Evidence
    alerts: Figure
    by_stratum: Mapping[Stratum, int]
    concentration: Concentration | None
    separations: Mapping[str, float]
    stability: Stability | None
    drivers: Mapping[str, float]


def score_window(bundle: Bundle, rows: Scorable) -> Scored:
    """The bundle's own scores and alert rows, by its baselines, history, transform and thresholds."""
    at = None if bundle.scorer.baselines is None else locate(bundle.scorer.baselines, rows.rows)
    scores = score_rows(bundle.scorer, rows, at)
    found = judge(bundle.judge, scores, bundle.strata(at))
    return Scored(rows, scores, found.alerts, found.strata)


def judge_bundle(
    bundle: Bundle, fitted: Fitted, windows: Mapping[Window, Scorable], lost: LostRows, config: TrainConfig
) -> Judgement:
    """Every figure of the test window. ``lost``: anomalous rows that quarantine took, of any window."""
    test = windows[Window.TEST]
    rows, merge_us = test.rows, alert_budget(config).merge_us
    period_us = usual_period(rows)
    scored = score_window(bundle, test)
    evidence = judge_window(
        scored.scores,
        scored.flagged,
        rows,
        merge_us=merge_us,
        period_us=period_us,
        lost=lost_in_test(lost, rows, config),
        seed=config.seed,
    )
    quiet = ~rows.anomalous
    rate, onsets = judge_alerts(
        scored.flagged[quiet], rows.take(quiet), merge_us=merge_us, period_us=period_us, seed=config.seed
    )
    codes, counts = np.unique(scored.strata, return_counts=True)
    return Judgement(
        scored,
        evidence,
        rate if bundle.manifest.budget.kind == "row_rate" else onsets,
        {Stratum(code): int(count) for code, count in zip(codes, counts, strict=True)},
        concentration(scored.flagged, rows, merge_us, config.seed),
        _separations(windows, config.seed),
        None if rows.labels is not None else _stability(bundle, fitted, test, config.seed),
        _drivers(bundle, scored),
    )


def lost_in_test(lost: LostRows, test: Rows, config: TrainConfig) -> LostRows:
    """The quarantined rows that belong to the test window, by their series or by their time."""
    if config.split.between_series:
        names = {test.series_names[code] for code in np.unique(test.series)}
        return lost.take(np.array([name in names for name in lost.series], bool))
    return lost.take(np.zeros(len(lost.times), bool) if test.times is None else lost.times >= test.times.min())


def _separations(windows: Mapping[Window, Scorable], seed: int) -> dict[str, float]:
    """Of a bounded seeded sample of every window's rows."""
    rows = windows[Window.TEST].rows
    if rows.labels is None:
        return {}
    values = np.concatenate([window.rows.values for window in windows.values()])
    labels = np.concatenate([window.rows.labels for window in windows.values() if window.rows.labels is not None])
    chosen = _sample(len(values), _LEAK_ROWS, seed)
    return separations(values[chosen], labels[chosen], rows.features)


def _stability(bundle: Bundle, fitted: Fitted, test: Scorable, seed: int) -> Stability:
    """Agreement of the same configuration, fitted on the same sample with five seeds, on a sample of the test rows."""
    seen = prepare(test.take(_sample(len(test), _STABILITY_ROWS, seed)), bundle.scorer.baselines)
    own = replace(bundle.scorer, baselines=None, history=replace(bundle.scorer.history, rows=0))
    others = [make_scorer(fitted.view.scaling, refit(fitted, seed + k)) for k in range(1, SEEDS)]
    return stability(np.array([score(scorer, seen) for scorer in (own, *others)]))


def _drivers(bundle: Bundle, scored: Scored) -> Mapping[str, float]:
    highest = (-scored.scores[scored.flagged]).argsort(kind="stable")[:_EXPLAINED_ROWS]
    explained = scored.rows.take(np.sort(np.flatnonzero(scored.flagged)[highest]))
    at = None if bundle.scorer.baselines is None else locate(bundle.scorer.baselines, explained.rows)
    return drivers(attribute_rows(bundle, explained, at), bundle.manifest.features)


def _sample(n: int, most: int, seed: int) -> NDArray[np.int64]:
    if n <= most:
        return np.arange(n)
    return np.sort(np.random.default_rng(seed).choice(n, most, replace=False))
