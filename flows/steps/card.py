"""From what a training run found to its model card: nothing is measured again, only sorted for the page."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from evaluation.calibration import usual_period
from evaluation.episodes import EpisodeList, list_episodes
from evaluation.pages.card.gather.scores import bin_scores, trace_curve
from evaluation.pages.card.gather.series import count_by_series, episode_kinds, recall_by_kind
from evaluation.pages.card.gather.timelines import (
    Explain,
    ScoredRows,
    alert_events,
    choose,
    draw_timelines,
    episode_events,
    iso,
)
from evaluation.pages.card.limits import with_limits
from evaluation.pages.card.model import (
    Card,
    DataSummary,
    DriftSummary,
    Driver,
    FeatureDrift,
    Identity,
    InjectedRecall,
    SearchHistory,
    Threshold,
    Timeline,
    TrialResult,
    WindowSpan,
)
from features.history import Scorable
from flows.config.train import TrainConfig
from flows.steps.findings import Findings
from flows.steps.fitting import alert_budget
from flows.steps.judging import lost_in_test
from flows.steps.lineage import stated
from flows.steps.table import open_data
from serving.attribution import attribute_rows, top_reasons
from serving.baselines import locate
from serving.bundle import Bundle
from serving.manifest import Manifest


def make_card(found: Findings, bundle: Bundle, config: TrainConfig, cache: Path) -> Card:
    """The card of a bundle just judged. cache: of the source, from which kinds of anomaly are read."""
    judged = found.judged
    scored, rows = judged.scored, judged.scored.rows.rows
    lost = lost_in_test(found.table.lost, rows, config)
    episodes = list_episodes(rows, scored.flagged, lost)
    kinds = None if config.data.kind is None else read_kinds(config, rows.positions, cache)
    named = () if episodes is None else episode_kinds(episodes, rows, kinds)
    thresholds = bundle.judge.thresholds
    seen = ScoredRows(rows, scored.scores, scored.flagged, np.asarray(thresholds)[scored.strata])
    curve = trace_curve(scored.scores, scored.flagged, rows)
    card = Card(
        identity=_identity(found, config),
        decision=found.decision,
        comparison=found.comparison,
        margin=found.rules.margin,
        thresholds=_thresholds(found.manifest),
        figures=(*judged.evidence.figures, *(() if found.injected is None else (found.injected.recall,))),
        test_rows=judged.evidence.rows,
        judged_rows=judged.evidence.judged_rows,
        episodes=judged.evidence.episodes,
        scores=bin_scores(scored.scores, rows.labels, thresholds[0]),
        timelines=_timelines(seen, episodes, named, config, _explaining(bundle, scored.rows)),
        curve=curve,
        kinds=() if episodes is None or kinds is None else recall_by_kind(episodes, named),
        injected=_injected(found),
        by_series=count_by_series(scored.flagged, rows, alert_budget(config).merge_us),
        concentration=judged.concentration,
        stability=judged.stability,
        drivers=tuple(Driver(name, share) for name, share in judged.drivers.items()),
        drift=_drift(found),
        search=_search(found),
        data=_data(found, config),
        absent=_absent(found, config),
    )
    return with_limits(card)


def read_kinds(config: TrainConfig, positions: NDArray[np.int64] | None, cache: Path) -> NDArray[np.object_] | None:
    """(n,) kind of anomaly of the rows at these places of the table, None where none is named; one pass over it."""
    if config.data.kind is None or positions is None:
        return None
    order = np.argsort(positions, kind="stable")
    ascending, kinds, begin = positions[order], np.full(len(positions), None, object), 0
    for batch in open_data(config.data, cache).source.blocks([config.data.kind]):
        low, high = np.searchsorted(ascending, [begin, begin + batch.num_rows])
        if high > low:
            values = batch.column(0).take(ascending[low:high] - begin).to_pylist()
            kinds[order[low:high]] = [None if value is None else str(value) for value in values]
        begin += batch.num_rows
    return kinds


def _explaining(bundle: Bundle, rows: Scorable) -> Explain:
    def explain(at: NDArray[np.int64]) -> tuple[tuple[Driver, ...], ...]:
        chosen = rows.take(at)
        known = None if bundle.scorer.baselines is None else locate(bundle.scorer.baselines, chosen.rows)
        found = top_reasons(attribute_rows(bundle, chosen, known), bundle.manifest.features)
        return tuple(tuple(Driver(r.feature, r.share, r.direction) for r in reasons) for reasons in found)

    return explain


def _timelines(
    seen: ScoredRows, episodes: EpisodeList | None, kinds: Sequence[str], config: TrainConfig, explain: Explain
) -> tuple[Timeline, ...]:
    if seen.rows.times is None:
        return ()
    events = [] if episodes is None else episode_events(seen, episodes, kinds)
    events += alert_events(seen, alert_budget(config).merge_us)
    return draw_timelines(choose(events), seen, usual_period(seen.rows), explain)


def _identity(found: Findings, config: TrainConfig) -> Identity:
    manifest, origin = found.manifest, found.lineage
    parameters = dict(manifest.parameters)
    return Identity(
        config.model,
        origin.run,
        origin.digest,
        manifest.family,
        parameters,
        manifest.seed,
        manifest.simulated,
        stated(origin),
    )


def _thresholds(manifest: Manifest) -> tuple[Threshold, ...]:
    strata = manifest.baselines
    if strata is None:
        return (Threshold("all", manifest.threshold, manifest.budget),)
    others = (("young", strata.young), ("unseen", strata.unseen))
    own = Threshold("mature", manifest.threshold, manifest.budget)
    return (own, *(Threshold(name, other.threshold, other.budget) for name, other in others))


def _injected(found: Findings) -> tuple[InjectedRecall, ...]:
    if found.injected is None:
        return ()
    return tuple(
        InjectedRecall(kind, size, one.value or 0.0, one.interval)
        for kind, sizes in found.injected.each.items()
        for size, one in sizes.items()
    )


def _drift(found: Findings) -> DriftSummary:
    seen = found.drift.assessment
    ranked = sorted(seen.effects, key=lambda effect: -abs(effect.shift.value))
    return DriftSummary(
        seen.verdict.outcome,
        seen.verdict.reasons,
        seen.seen_as,
        tuple(
            FeatureDrift(e.feature, e.shift.value, e.shift.low, e.shift.high, seen.verdict.features[e.feature])
            for e in ranked
        ),
        len(seen.series.moved),
        seen.series.judged,
    )


def _search(found: Findings) -> SearchHistory:
    choice = found.choice
    fitted = (choice.family, dict(choice.parameters))
    chosen = next((t.number for t in choice.trials if t.usable and (t.family, dict(t.parameters)) == fitted), None)
    trials = tuple(
        TrialResult(
            trial.number,
            trial.family,
            dict(trial.parameters),
            trial.figures.get(choice.goal),
            trial.error or trial.excluded,
            trial.number == chosen,
        )
        for trial in choice.trials
    )
    return SearchHistory(choice.reason, choice.ranked_by, choice.planned, trials)


def _data(found: Findings, config: TrainConfig) -> DataSummary:
    table, history = found.table, found.manifest.history
    return DataSummary(
        uri=config.data.uri,
        rows=len(table.rows),
        series=len(table.rows.series_names),
        features=table.rows.features,
        quarantined=table.validation.quarantined,
        implausible=table.validation.implausible,
        without_history=found.left_out.without_history,
        at_rest=found.left_out.at_rest,
        history_rows=0 if history is None else history.rows,
        windows=tuple(_span(window.name.lower(), part) for window, part in found.windows.items()),
    )


def _span(name: str, part: Scorable) -> WindowSpan:
    rows = part.rows
    first, last = ("", "") if rows.times is None else (iso(int(rows.times.min())), iso(int(rows.times.max())))
    return WindowSpan(name, len(rows), first, last, None if rows.labels is None else int(rows.anomalous.sum()))


def _absent(found: Findings, config: TrainConfig) -> dict[str, str]:
    """Why a section is left out, by its name."""
    rows, absent = found.judged.scored.rows.rows, {}
    if rows.times is None:
        absent["timelines"] = "The table has no time, so there is no course of scores to show."
    elif not found.judged.scored.flagged.any():
        absent["timelines"] = "No row of the test window is an alert row, and none lies in a labelled episode."
    if found.judged.evidence["average_precision"].value is None:
        absent["curve"] = f"There is none: {found.judged.evidence['average_precision'].reason}."
    if config.data.kind is None:
        absent["kinds"] = "The table names no kinds of anomaly (data.kind)."
    elif rows.labels is None or rows.times is None:
        absent["kinds"] = "Without labels and times there are no episodes to count."
    return absent
