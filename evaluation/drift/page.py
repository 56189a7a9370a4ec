"""The drift page: the verdict first, then what moved, how far and how sure that is, and how it was measured."""

from dataclasses import dataclass

from evaluation.drift.assess import Assessment
from evaluation.drift.effects import Change, Effect
from evaluation.drift.report import Drift
from evaluation.drift.verdict import DriftLimits, certain_shift, certain_spread
from evaluation.pages.blocks import Bars, Facts, Section, Table, Text, Tile, Tiles, bars
from evaluation.pages.figures import count, share
from evaluation.pages.templates import template

EVIDENTLY = "drift-evidently.html"
_MOST_SERIES = 50
_HEADLINES = {
    "ok": ("good", "Ok", "no feature and too few series certainly beyond a limit"),
    "watch": ("warn", "Watch", "something moved beyond a limit; look at it before the detector is trusted"),
    "retrain": ("bad", "Retrain", "the rows are not those that the detector learned what is normal from"),
}


@dataclass(frozen=True)
class About:
    """What the page is of: the model, what was compared with what, how rows were chosen, all in words."""

    model: str
    reference: str
    current: str
    chosen: tuple[tuple[str, str], ...]
    simulated: bool


@dataclass(frozen=True)
class _Headline:
    kind: str
    word: str
    rest: str


def render_drift(about: About, found: Assessment, evidently: Drift) -> str:
    """The page as text."""
    return template("drift.html.j2").render(
        about=about,
        headline=_Headline(*_HEADLINES[found.verdict.outcome]),
        reasons=found.verdict.reasons,
        tiles=_tiles(found),
        sections=(_features(found), *_series(found), _measured(about, found, evidently)),
        evidently=EVIDENTLY,
    )


def _tiles(found: Assessment) -> Tiles:
    outcomes = list(found.verdict.features.values())
    drifted = sum(outcome != "ok" for outcome in outcomes)
    n_eff = [effect.shift.current_n_eff for effect in found.effects]
    worth = f"worth {min(n_eff):,.0f} to {max(n_eff):,.0f} independent ones"
    return Tiles(
        (
            Tile("Features beyond a limit", f"{drifted} of {len(outcomes)}"),
            Tile(
                "Series that moved", f"{len(found.series.moved)} of {found.series.judged}", "of those with enough rows"
            ),
            Tile("Current rows", count(found.current_rows), worth),
            Tile("Reference rows", count(found.reference_rows)),
        )
    )


def moved_most(found: Assessment, most: int) -> tuple[str, ...]:
    """The features that are furthest on their way to a limit, at most so many, in the order of the table."""
    named = {effect.feature for effect in _ranked(found)[:most]}
    return tuple(effect.feature for effect in found.effects if effect.feature in named)


def _ranked(found: Assessment) -> list[Effect]:
    """Furthest on the way to a limit first."""
    return sorted(found.effects, key=lambda e: (-_beyond(e, found.limits), -abs(e.shift.value)))


def _features(found: Assessment) -> Section:
    ranked = _ranked(found)
    shown = [(e.feature, abs(e.shift.value), _signed(e.shift.value)) for e in ranked]
    most = max([found.limits.retrain_shift, *(value for _, value, _ in shown)])
    rows = tuple(
        (
            effect.feature,
            found.verdict.features[effect.feature],
            _signed(effect.shift.value),
            _interval(effect.shift, "+.2f"),
            f"{effect.spread.value:.2f}",
            _interval(effect.spread, ".2f"),
            _signed(effect.superiority),
            f"{effect.shift.reference_n_eff:,.0f}; {effect.shift.current_n_eff:,.0f}",
        )
        for effect in ranked
    )
    columns = (
        "feature",
        "verdict",
        "shift",
        "interval",
        "spread",
        "interval",
        "Cliff's delta",
        "n_eff: reference; current",
    )
    return Section(
        "features",
        "Features",
        (
            Bars("Shift of the median, in robust standard deviations", ("feature", "shift"), bars(shown, most)),
            Table("Effects, with intervals that hold together for all features (95 %)", columns, rows, (2, 4, 6)),
        ),
    )


def _beyond(effect: Effect, limits: DriftLimits) -> float:
    """How far the feature certainly is on its way to the next limit; from 1 on it is beyond one."""
    spread = (certain_spread(effect) - 1) / max(limits.watch_spread - 1, 1e-9)
    return max(certain_shift(effect) / max(limits.watch_shift, 1e-9), spread)


def _series(found: Assessment) -> tuple[Section, ...]:
    series, limit = found.series, found.limits.series_shift
    if not series.judged:
        return (
            Section(
                "series", "Series", (Text(("No series has enough rows in both windows to be judged by itself.",)),)
            ),
        )
    rows = tuple((name, feature, f"{shift:+.1f}") for name, feature, shift in series.moved[:_MOST_SERIES])
    left = len(series.moved) - len(rows)
    says = (
        f"{len(series.moved)} of {series.judged} series ({share(series.share)}) moved by {limit:g} robust standard "
        "deviations of a series or more, each against itself."
    )
    table = Table("Furthest first", ("series", "feature", "shift"), rows, (2,))
    more = (Text((f"{left} more are in drift.json.",)),) if left else ()
    return (Section("series", "Series", (Text((says,)), *((table,) if rows else ()), *more)),)


def _measured(about: About, found: Assessment, evidently: Drift) -> Section:
    limits = found.limits
    facts = (
        ("Reference", about.reference),
        ("Current", about.current),
        *about.chosen,
        ("Compared", found.seen_as),
        (
            "Independent",
            f"{found.reference_units.count:,} {found.reference_units.by} of the reference, "
            f"{found.current_units.count:,} {found.current_units.by} of the current rows",
        ),
        (
            "Limits",
            f"watch from a shift of {limits.watch_shift:g} or a spread of {limits.watch_spread:g} times, retrain from "
            f"{limits.retrain_shift:g} or {limits.retrain_spread:g} times, or where "
            f"{limits.retrain_features_share:.0%} of the features are beyond a limit; series: watch from "
            f"{limits.watch_series_share:.0%} that moved, retrain from {limits.retrain_series_share:.0%}",
        ),
        (
            "Evidently",
            f"{len(evidently.drifted)} of {len(evidently.distances)} features at or above {evidently.limit:g} by "
            f"{evidently.method} distance of the values as they are, {evidently.reference_rows:,} and "
            f"{evidently.current_rows:,} rows; no part of the verdict",
        ),
    )
    return Section("measured", "How it was measured", (Facts(facts),))


def _signed(value: float) -> str:
    """In two digits, never as a negative zero."""
    return f"{round(value, 2) + 0.0:+.2f}"


def _interval(change: Change, form: str) -> str:
    return f"{change.low:{form}} to {change.high:{form}}"
