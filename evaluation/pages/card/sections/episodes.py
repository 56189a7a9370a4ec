"""Episodes: small pictures of some, and recall by kind of fault."""

from evaluation.pages.blocks import Bar, Bars, Block, Panel, Panels, Section, Text, bars
from evaluation.pages.card.model import Card, InjectedRecall, Timeline
from evaluation.pages.charts.timeline import draw_timeline
from evaluation.pages.figures import duration, figure, share

_COLOURS = {"detected": "good", "missed": "bad", "false alert": "warn", "alert": "warn"}
_ARROWS = {"above": "↑", "below": "↓", "": ""}


def timelines(card: Card) -> Section:
    """What an alert looks like: highest scores first, another machine before a second look at the same."""
    if not card.timelines:
        return Section("episodes", "Episodes and alerts", (Text((card.absent.get("timelines", ""),)),))
    panels = Panels(tuple(_panel(shown, card.scores.scale) for shown in card.timelines))
    found = card.episodes
    says = "Some of the alerts, those with the highest scores. "
    if found is not None and found.labelled:
        says = f"{found.detected} of {found.labelled} labelled episodes hold an alert. Shown are some of them: "
        says += "detected ones with the highest scores, the longest of the missed, and false alerts. "
    says += "Band: the episode; dots: alert rows; dashed: the threshold; hours count from its first row."
    return Section("episodes", "Episodes and alerts", (Text((says,)), panels))


def _panel(shown: Timeline, scale: str) -> Panel:
    facts = [f"from {shown.start.replace('T', ' ').removesuffix('Z')} UTC, {_length(shown)}"]
    if shown.outcome == "detected" and shown.delay_h is not None:
        facts.append(f"first alert after {duration(3_600 * shown.delay_h)}" if shown.delay_h else "alert at once")
    title = f"{shown.series}, {shown.kind}" if shown.kind else shown.series
    drivers = tuple(
        Bar(f"{d.feature} {_ARROWS[d.direction]}", d.share, f"{100 * d.share:.0f} %") for d in shown.drivers
    )
    return Panel(title, shown.outcome, _COLOURS[shown.outcome], tuple(facts), draw_timeline(shown, scale), drivers)


def _length(shown: Timeline) -> str:
    return f"{duration(3_600 * shown.end_h)} long" if shown.end_h else "one row"


def kinds(card: Card) -> Section:
    """Recall by kind of fault, of labelled episodes; of injected ones where those were made."""
    blocks: list[Block] = []
    if card.kinds:
        found = [
            Bar(k.kind, k.detected / k.episodes, f"{k.detected} of {k.episodes}", "" if k.detected else "bad")
            for k in sorted(card.kinds, key=lambda k: (-k.detected / k.episodes, k.kind))
        ]
        blocks.append(Bars("Labelled episodes that hold an alert", ("kind", "detected"), tuple(found)))
    elif "kinds" in card.absent:
        blocks.append(Text((card.absent["kinds"],)))
    if card.injected:
        blocks.append(
            Bars(
                "Faults put into normal test rows; size in robust standard deviations of a series, in parentheses the "
                "95 % interval. Real faults have other shapes.",
                ("kind and size", "detected"),
                bars([(_size(one), one.recall, _recalled(one)) for one in card.injected], 1.0),
            )
        )
    return Section("kinds", "Recall by kind of fault", tuple(blocks), half=True)


def _size(one: InjectedRecall) -> str:
    return f"{one.kind}, {figure(one.size)}"


def _recalled(one: InjectedRecall) -> str:
    if one.interval is None:
        return share(one.recall)
    return f"{share(one.recall)} ({share(one.interval.low).removesuffix(' %')} to {share(one.interval.high)})"
