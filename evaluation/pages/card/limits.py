"""What a bundle must not be taken for: one sentence for each caveat that its own figures give rise to."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from evaluation.pages.card.model import Card
from evaluation.pages.figures import count, figure, rate, share

_FEW_EPISODES = 30
_FEW_EXCEEDANCES = 10
_SHORT_DAYS = 90
_STABLE = 0.7
_BLIND = 0.5


def with_limits(card: Card) -> Card:
    """The card with its limits stated."""
    return replace(card, limits=limits(card))


def limits(card: Card) -> tuple[str, ...]:
    """Sentences, weightiest first; what does not apply is not said."""
    return (*_about_data(card), *_about_quality(card), *_about_alerts(card), *_about_use(card))


def _about_data(card: Card) -> Iterator[str]:
    if card.identity.simulated:
        yield (
            "No machine produced these rows: they are simulated. Nothing here says how the detector does on real "
            "machines; train it on their data before it is used for any."
        )
    reference = card.data.windows[0]
    days = _days(reference.first, reference.last)
    if days is not None and days < _SHORT_DAYS:
        yield (
            f"What is normal was learned from {figure(round(days, 1))} days. Seasons, loads and states that those "
            "days do not hold look like anomalies."
        )
    drifted = [one.feature for one in card.drift.features if one.outcome != "ok"]
    if drifted:
        yield (
            f"{len(drifted)} of {len(card.drift.features)} features drifted between the reference and the test window "
            f"({', '.join(drifted[:5])}{' …' if len(drifted) > 5 else ''}): figures of the test window are of data "
            "unlike those that it was fitted on."
        )


def _about_quality(card: Card) -> Iterator[str]:
    if card.judged_rows == 0:
        yield (
            "No fully labelled span lies in the test window: which share of real faults it finds is not known. Recall "
            "of injected faults says how far it sees, not what it will find."
        )
    large = max((one.size for one in card.injected), default=0.0)
    missed = [one for one in card.injected if one.size == large and one.recall < _BLIND]
    if missed:
        kinds = ", ".join(f"{one.kind} {share(one.recall)}" for one in missed)
        other = " Autoencoders often see what a forest does not." if "forest" in card.identity.family else ""
        yield (
            f"It misses most faults of some shapes even at {large:g} robust deviations, the largest size that was put "
            f"into test rows: it detects {kinds}.{other}"
        )
    episodes = card.episodes
    recall = card.figure("episode_recall")
    if episodes is not None and episodes.labelled and episodes.labelled < _FEW_EPISODES:
        interval = recall.interval if recall else None
        span = f": the share found may as well be {share(interval.low)} or {share(interval.high)}" if interval else ""
        yield f"Recall rests on {episodes.labelled} episodes{span}."
    if episodes is not None and episodes.quarantined:
        yield (
            f"{episodes.quarantined} of the {episodes.labelled} episodes went to quarantine whole: no detector sees "
            "rows that fail validation, so somebody must watch the sensors' health."
        )
    for one in card.kinds:
        if not one.detected:
            often = "once" if one.episodes == 1 else f"{one.episodes} times"
            yield f"“{one.kind}” occurred {often} and was never detected."
    if card.stability is not None and card.stability.overlap < _STABLE:
        yield (
            f"Another seed would name other rows: the top 1 % of two fits share {share(card.stability.overlap)} on "
            "average."
        )
    if card.comparison.outcome == "inconclusive":
        yield f"Not known to be as good as the champion: {card.comparison.sentence}."


def _about_alerts(card: Card) -> Iterator[str]:
    budget = card.thresholds[0].budget
    if budget.kind == "row_rate":
        yield (
            f"The alert budget is a share of the rows ({budget.reason}): it does not say how many alerts a day people "
            "will see."
        )
    if budget.exceedances < _FEW_EXCEEDANCES:
        yield (
            f"The threshold rests on {budget.exceedances} independent exceedances: the budget may be kept or missed by "
            f"a factor; its 90 % range is {rate(budget.low)} to {rate(budget.high)}."
        )
    alerts, rows = card.by_series, card.figure("alert_rate")
    if alerts.unit == "onsets" and alerts.events and rows is not None and rows.value is not None:
        run = rows.value * card.test_rows / alerts.events
        if run >= 2:
            yield (
                f"Alert rows come in runs ({figure(round(run, 1))} rows an onset), so rows are not exchangeable: a "
                "p-value ranks rows of one series, it is not a false alarm rate."
            )
    for other in card.thresholds[1:]:
        if other.value > card.thresholds[0].value:
            yield (
                f"Rows with {other.rows} baselines are held to a higher threshold ({figure(other.value)} against "
                f"{figure(card.thresholds[0].value)}): small faults of such series stay unseen."
            )


def _about_use(card: Card) -> Iterator[str]:
    data = card.data
    if data.history_rows:
        yield (
            f"A row needs the {data.history_rows} rows before it in its series; {count(data.without_history)} rows "
            "without them had no score."
        )
    if data.at_rest:
        part = share(data.at_rest / data.rows)
        yield f"Rows of machines at rest get no score ({part} of the rows): a fault shows once the machine runs."
    yield (
        f"It takes exactly these {len(data.features)} features, in the units of the table it was fitted on. A score "
        "says how unusual a row is, not what is broken or how urgent it is."
    )


def _days(first: str, last: str) -> float | None:
    if not first:
        return None
    return (datetime.fromisoformat(last) - datetime.fromisoformat(first)).total_seconds() / 86_400
