"""The verdict on drift: ok, watch or retrain, by stated limits, with the reasons in words."""

from dataclasses import dataclass
from typing import Literal

from evaluation.drift.effects import Effect
from evaluation.drift.moved import MovedSeries

Outcome = Literal["ok", "watch", "retrain"]


@dataclass(frozen=True)
class DriftLimits:
    """What a feature, or a share of them, must certainly exceed; docs/drift.md says why these.

    shift: of a median, in robust standard deviations; spread: ratio of the larger spread to the smaller;
    features_share: of features to watch, from which all are; series_shift: from which a series has moved;
    series_share: of series that moved.
    """

    watch_shift: float = 0.25
    retrain_shift: float = 1.0
    watch_spread: float = 1.5
    retrain_spread: float = 2.5
    retrain_features_share: float = 0.5
    series_shift: float = 3.0
    watch_series_share: float = 0.02
    retrain_series_share: float = 0.2


@dataclass(frozen=True)
class DriftVerdict:
    """``features``: outcome by name; reasons: a sentence each, worst first; none for ok."""

    outcome: Outcome
    reasons: tuple[str, ...]
    features: dict[str, Outcome]


def decide(effects: tuple[Effect, ...], series: MovedSeries, limits: DriftLimits) -> DriftVerdict:
    """A limit is exceeded where the whole interval lies beyond it, so noise alone does not raise an alarm."""
    judged = {effect.feature: _feature(effect, limits) for effect in effects}
    reasons: list[tuple[Outcome, str]] = [
        (judged[effect.feature], _sentence(effect, limits)) for effect in effects if judged[effect.feature] != "ok"
    ]
    share = len(reasons) / len(effects)
    if share >= limits.retrain_features_share:
        text = (
            f"{len(reasons)} of {len(effects)} features drifted, {share:.0%}: limit {limits.retrain_features_share:.0%}"
        )
        reasons.append(("retrain", text))
    moved: Outcome = "ok"
    if series.share >= limits.retrain_series_share:
        moved = "retrain"
    elif series.moved and series.share >= limits.watch_series_share:
        moved = "watch"
    if moved != "ok":
        reasons.append((moved, _series(series, limits, moved)))
    outcomes = [outcome for outcome, _ in reasons]
    worst: Outcome = "retrain" if "retrain" in outcomes else "watch" if outcomes else "ok"
    ranked = sorted(reasons, key=lambda reason: reason[0] != "retrain")
    return DriftVerdict(worst, tuple(text for _, text in ranked), judged)


def certain_shift(effect: Effect) -> float:
    """The least shift, without sign, that the interval allows."""
    return max(effect.shift.low, -effect.shift.high, 0.0)


def certain_spread(effect: Effect) -> float:
    """The least ratio of the larger spread to the smaller that the interval allows, at least 1."""
    return max(effect.spread.low, 1 / effect.spread.high, 1.0)


def _feature(effect: Effect, limits: DriftLimits) -> Outcome:
    shift, spread = certain_shift(effect), certain_spread(effect)
    if shift >= limits.retrain_shift or spread >= limits.retrain_spread:
        return "retrain"
    return "watch" if shift >= limits.watch_shift or spread >= limits.watch_spread else "ok"


def _sentence(effect: Effect, limits: DriftLimits) -> str:
    parts = []
    if (least := certain_shift(effect)) >= limits.watch_shift:
        limit = limits.retrain_shift if least >= limits.retrain_shift else limits.watch_shift
        way = "rose" if effect.shift.value > 0 else "fell"
        parts.append(f"{way} by {abs(effect.shift.value):.2f} robust deviations, at least {least:.2f}: limit {limit:g}")
    if (least := certain_spread(effect)) >= limits.watch_spread:
        limit = limits.retrain_spread if least >= limits.retrain_spread else limits.watch_spread
        way = "wider" if effect.spread.value > 1 else "narrower"
        ratio = max(effect.spread.value, 1 / effect.spread.value)
        parts.append(f"spreads {ratio:.2f} times {way}, at least {least:.2f}: limit {limit:g}")
    return f"{effect.feature} " + "; ".join(parts)


def _series(series: MovedSeries, limits: DriftLimits, outcome: Outcome) -> str:
    limit = limits.retrain_series_share if outcome == "retrain" else limits.watch_series_share
    name, feature, shift = series.moved[0]
    return (
        f"{len(series.moved)} of {series.judged} series moved by {limits.series_shift:g} robust deviations or more, "
        f"{series.share:.1%}: limit {limit:.0%}; furthest {name}, {feature} {shift:+.1f}"
    )
