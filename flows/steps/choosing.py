"""Which configuration to fit: by labels of the selection window, or a documented default where they are too few."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from evaluation.calibration import AlertBudget, calibrate, usual_period
from evaluation.episodes import count_episodes
from features.errors import InputError, NotEnoughDataError
from features.rows import Rows
from flows.adapters.local_ray import running_ray
from flows.config.train import Search, TrainConfig
from flows.outcome import Progress
from serving.manifest import Budget
from training.detectors.registry import family
from training.objective import ALERT_RATE, AVERAGE_PRECISION, BYTES, EPISODE_RECALL, ONSETS, OPERATIONS, View, objective
from training.search import Searched, search
from training.space import PER_SERIES, Parameters
from training.space import Choice as OneOf
from training.trials import Goal, Limit, Trial, best

BASELINE = "linear_autoencoder"
"""The one to beat: trial 0 wherever it is among the families."""


@dataclass(frozen=True)
class Basis:
    """What trials are ranked by, in words, or why nothing ranks them."""

    goal: Goal
    words: str = ""
    lacking: str = ""


@dataclass(frozen=True)
class Choice:
    """The configuration to fit, and how it was chosen in one sentence; no trials where nothing was compared.

    goal: the figure that ranks trials, and ranked_by in words, both "" where nothing does; planned: number of trials,
    more than ran where the time budget ended the search.
    """

    family: str
    parameters: Parameters
    reason: str
    trials: tuple[Trial, ...] = ()
    ranked_by: str = ""
    planned: int = 0
    goal: str = ""


def choose(
    views: Mapping[bool, View],
    rows: Rows,
    config: TrainConfig,
    budget: AlertBudget,
    *,
    progress: Progress,
    ray: Path,
    run: Path,
) -> Choice:
    """Search where labels can tell trials apart, else take the default.

    views: the windows as a transform sees them, with baselines (True), without, or both, of which trials choose one;
    rows: of the selection window; run: folder that keeps the record of the trials; ray: Ray's session folder.
    """
    asked, basis = config.search, find_basis(rows, config.search, budget)
    default = asked.families[0]
    if not basis.goal.figure and not basis.goal.limits and not asked.compare:
        return Choice(default, _default(default, True in views), f"the default, since {basis.lacking}")
    families = in_trial_order(asked.families) if basis.goal.figure else asked.families
    first = [(name, _default(name, True in views)) for name in families]
    if len(views) > 1 and basis.goal.figure:
        first.append((families[0], _default(families[0], False)))
    planned = asked.trials if basis.goal.figure else len(families)
    data: dict[str, Any] = {
        "views": dict(views),
        "rows": replace(rows, values=rows.values[:, :0], flags=None),
        "budget": budget,
        "period_us": usual_period(rows),
    }
    with progress.stage("Searching") as stage:
        found = search(
            objective,
            data,
            first=first,
            trials=planned,
            goal=basis.goal,
            seed=config.seed,
            folder=run,
            cluster=running_ray(ray),
            time_budget_s=asked.time_budget.total_seconds() if asked.time_budget else None,
            common={PER_SERIES: OneOf((True, False))} if len(views) > 1 else {},
            on_trial=lambda done: stage.update(f"{done} of {planned} trials"),
        )
        choice = conclude(found, basis, asked.families)
        failed, excluded = (sum(bool(getattr(t, name)) for t in found.trials) for name in ("error", "excluded"))
        parts = [f"{len(found.trials)} trials"]
        parts += [f"{failed} failed"] * bool(failed) + [f"{excluded} may not be chosen"] * bool(excluded)
        stage.result(", ".join(parts))
    return choice


def _default(name: str, per_series: bool) -> Parameters:
    return {**family(name).defaults, PER_SERIES: per_series}


def find_basis(rows: Rows, asked: Search, budget: AlertBudget) -> Basis:
    """What the rows of the selection window can rank trials by.

    Episodes where there is time, rows where there is none or ``search.metric`` says so; below ``search.min_labels`` of
    them, nothing. Raises NotEnoughDataError when alerts are limited and the window is too small for a threshold.
    """
    by_rows = asked.metric == "average_precision"
    episodes = None if by_rows else count_episodes(rows, np.zeros(len(rows), bool))
    promised, limits = _promised(rows, budget), _sizes(asked)
    if asked.max_alerts is not None:
        if promised is None:
            rule = "needs a selection window with enough rows for a threshold: see alerts.row_rate"
            raise NotEnoughDataError("search.max_alerts", rule, len(rows))
        unit = ALERT_RATE if promised.kind == "row_rate" else ONSETS
        limits = (Limit(unit, asked.max_alerts, "search.max_alerts"), *limits)
    lacking = _lacking(rows, episodes.labelled if episodes else None, asked.min_labels)
    if not lacking and episodes and promised is None:
        lacking = "the selection window has too few rows for a threshold"
    if lacking:
        return Basis(Goal(limits=limits), lacking=lacking)
    if episodes and promised:
        at = "the onset budget" if promised.kind != "row_rate" else f"{promised.limit:.2g} alerts a row"
        return Basis(Goal(EPISODE_RECALL, AVERAGE_PRECISION, limits), f"episode recall at {at}")
    return Basis(Goal(AVERAGE_PRECISION, limits=limits), "average precision")


def conclude(found: Searched, basis: Basis, families: Sequence[str]) -> Choice:
    """The trial to fit. Without anything that ranks trials: of the defaults within the limits, the first configured."""
    ran = f"{len(found.trials)} of {found.planned}" if found.cut_short else f"{len(found.trials)}"
    cut = f"; stopped by its time budget after {ran} trials: a repeat may differ" if found.cut_short else ""
    if basis.goal.figure:
        chosen = best(found.trials, basis.goal)
        told = f"best of {len(found.trials)} trials by {basis.words} on the selection window (trial {chosen.number})"
    else:
        usable = sorted((t for t in found.trials if t.usable), key=lambda t: families.index(t.family))
        if not usable:
            first = found.trials[0]
            raise InputError("search", f"no default may be chosen; {first.family}: {first.excluded or first.error}")
        chosen = usable[0]
        which = "the default" if chosen.family == families[0] else "the first default that may be chosen"
        told = f"{which}, since {basis.lacking}; {len(found.trials)} defaults are listed without a winner"
    goal = basis.goal.figure
    return Choice(chosen.family, chosen.parameters, told + cut, found.trials, basis.words, found.planned, goal)


def in_trial_order(families: Sequence[str]) -> list[str]:
    """The families as their defaults become the first trials."""
    return sorted(families, key=lambda name: name != BASELINE)


def _promised(rows: Rows, budget: AlertBudget) -> Budget | None:
    """The budget that a threshold can be set by, whatever the scores; None for too few rows."""
    normal = rows.take(~rows.anomalous)
    drawn = np.random.default_rng(0).permutation(len(normal)).astype(np.float32)
    try:
        return calibrate(drawn, normal, budget, usual_period(rows)).budget
    except NotEnoughDataError:
        return None


def _sizes(asked: Search) -> tuple[Limit, ...]:
    stated = ((OPERATIONS, asked.max_operations, "max_operations"), (BYTES, asked.max_bundle_bytes, "max_bundle_bytes"))
    return tuple(Limit(figure, float(most), f"search.{key}") for figure, most, key in stated if most is not None)


def _lacking(rows: Rows, episodes: int | None, least: int) -> str:
    """Why labels cannot rank trials; "" where they can."""
    if rows.labels is None or not (rows.labels >= 0).any():
        return "the selection window has no labels to select by"
    anomalous, normal = int((rows.labels == 1).sum()), int((rows.labels == 0).sum())
    if episodes is not None and episodes < least:
        return f"the selection window has {episodes} labelled episodes, fewer than search.min_labels = {least}"
    if episodes is None and min(anomalous, normal) < least:
        had = f"{anomalous} anomalous and {normal} normal labelled rows"
        return f"the selection window has {had}, fewer than search.min_labels = {least} of one kind"
    return ""
