"""Where the alerts and the bundle come from: series, features, search, data, windows, lineage."""

from evaluation.pages.blocks import Bar, Bars, Block, Facts, Section, Text, bars
from evaluation.pages.card.model import Card, DriftSummary
from evaluation.pages.charts.spans import draw_windows, window_table
from evaluation.pages.charts.trials import draw_trials
from evaluation.pages.figures import count, figure, share

_MOST = 20  # features by name; all of them are in card.json
_SAID = ("data", "windows", "run")  # of the lineage: elsewhere on the page


def series(card: Card) -> Section:
    """The series with most alerts, the others joined."""
    found = card.by_series
    named = [(one.series, float(one.events), count(one.events)) for one in found.top]
    says = f"{count(found.events)} {found.unit} of {count(found.series)} series; {count(found.silent)} have none."
    if card.concentration is not None and card.concentration.by_chance < 1:  # else there are too few to tell
        worst = card.concentration
        what = "false alerts" if card.judged_rows else "alerts"
        says += f" The worst tenth of the series has {share(worst.share)} of the {what}"
        says += f" (up to {share(worst.by_chance)} by chance)."
    blocks: list[Block] = [Text((says,))]
    if named:
        caption = f"Most {found.unit} in the test window"
        blocks.append(Bars(caption, ("series", found.unit), bars(named)))
    if found.rest_series:
        blocks.append(Text((f"{count(found.rest_series)} further series have {count(found.rest_events)}.",)))
    return Section("series", "Alerts by series", tuple(blocks), half=True)


def features(card: Card) -> Section:
    """What the alerts are driven by, and which features drifted."""
    blocks: list[Block] = []
    if card.drivers:
        named = [(d.feature, d.share, share(d.share)) for d in card.drivers[:_MOST]]
        blocks += [
            Bars("Share of the highest alert rows that each feature explains", ("feature", "share"), bars(named)),
            *_further(len(card.drivers), share(sum(d.share for d in card.drivers[_MOST:]))),
        ]
    blocks += _drift(card.drift)
    return Section("features", "Features", tuple(blocks), half=True)


def _further(features: int, value: str) -> tuple[Text, ...]:
    """What the features that are not shown have together, where there are any."""
    return (Text((f"{count(features - _MOST)} further features: {value}.",)),) if features > _MOST else ()


def _drift(drift: DriftSummary) -> tuple[Block, ...]:
    drifted = sum(one.outcome != "ok" for one in drift.features)
    moved = f"; {drift.moved} of {drift.judged} series moved by themselves" if drift.judged else ""
    caption = (
        f"Drift from the reference to the test window, {drift.outcome}: {drifted} of {len(drift.features)} features "
        f"beyond a limit{moved}. Shift of the median in robust standard deviations, {drift.seen_as}; 95 % interval. "
        "Drift is no verdict on the detector"
    )
    ranked = sorted(drift.features, key=lambda one: (one.outcome == "ok", -abs(one.shift)))
    longest = max([1.0, *(abs(one.shift) for one in ranked)])
    shown = tuple(
        Bar(
            one.feature,
            abs(one.shift) / longest,
            f"{one.shift:+.2f} ({one.low:+.2f} to {one.high:+.2f})".replace("-", "−"),
            "" if one.outcome == "ok" else "bad",
        )
        for one in ranked[:_MOST]
    )
    smaller = f"shifts of at most {max((abs(one.shift) for one in ranked[_MOST:]), default=0):.2f}"
    return (Bars(caption, ("feature", "shift"), shown), *_further(len(drift.features), smaller))


def search(card: Card) -> Section:
    """How the configuration was chosen."""
    found = card.search
    blocks: list[Block] = [Text((f"How it was chosen: {found.reason}.",))]
    if any(trial.value is not None for trial in found.trials):
        blocks.append(draw_trials(found))
    parameters = ", ".join(f"{name} {figure(value)}" for name, value in card.identity.parameters.items())
    blocks.append(Facts((("Detector", card.identity.family.replace("_", " ")), ("Parameters", parameters))))
    if card.stability is not None:
        same = card.stability
        text = (
            f"{same.seeds} fits with other seeds agree with Spearman {same.spearman:.3f} (lowest pair "
            f"{same.lowest_spearman:.3f}) and share {share(same.overlap)} of their top 1 % rows (lowest "
            f"{share(same.lowest_overlap)})."
        )
        blocks.append(Text((text,)))
    return Section("search", "Search", tuple(blocks), half=True)


def data(card: Card) -> Section:
    """The table, its windows, and what became of its rows."""
    found = card.data
    origin = "SIMULATED: no machine produced these rows" if card.identity.simulated else ""
    facts = [
        ("Table", found.uri),
        ("Origin", origin),
        ("Rows", f"{count(found.rows)} valid of {count(found.series)} series, {count(found.quarantined)} quarantined, "
                 f"{count(found.implausible)} flagged as implausible"),
        ("Not used", f"{count(found.at_rest)} rows at rest, {count(found.without_history)} without a complete history"),
        ("Features", ", ".join(found.features)),
    ]  # fmt: skip
    chart = draw_windows(found.windows)
    shown: Block = chart or window_table(found.windows)
    return Section("data", "Data and windows", (Facts(tuple(fact for fact in facts if fact[1])), shown))


def lineage(card: Card) -> Section:
    """What the bundle was made from and by."""
    named = card.identity
    facts = (("Digest", f"sha256:{named.digest}"), ("Run", named.run), ("Seed", str(named.seed)))
    rest = ((name.replace("_", " ").capitalize(), text) for name, text in named.lineage.items() if name not in _SAID)
    return Section("lineage", "Lineage", (Facts((*facts, *rest)),))
