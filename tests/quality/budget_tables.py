"""What the fleets of tests.quality.budgets showed, and its tables."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np

from features.fleet.faults import KINDS
from tests.quality.document import markdown
from tests.quality.fleets import Episode, recall

_VIEWS = ("global", "by series")

Key: TypeAlias = tuple[str, str]


@dataclass(frozen=True)
class Aged:
    """Onsets by the budget and alert rows by their calibrated share, of rows not known to be anomalous; recall."""

    onsets: float
    rows: float
    recall: float


@dataclass
class Found:
    """A value a seed. rates: onsets by the budget, by setting, sensors and detector; episodes and spent (onsets by the
    budget again) by family and view; ages: by rows and kind of baseline."""

    rates: dict[tuple[str, int, str], list[float]] = field(default_factory=dict)
    episodes: dict[Key, list[Sequence[Episode]]] = field(default_factory=dict)
    spent: dict[Key, list[float]] = field(default_factory=dict)
    ages: dict[tuple[int, str], list[Aged]] = field(default_factory=dict)

    def recalls(self, family: str, view: str) -> list[float]:
        """Episode recall by seed."""
        return [recall(seen) for seen in self.episodes[family, view]]


def budget_table(found: Found) -> str:
    """Realised onsets by the budget: how often within a factor two, in short, and fleet by fleet."""
    lines = []
    for (setting, sensors, detector), rates in found.rates.items():
        within = f"{sum(0.5 <= rate <= 2 for rate in rates)} of {len(rates)}"
        each = " ".join(f"{rate:.1f}" for rate in rates)
        lines.append([setting, str(sensors), detector, within, *_figures(rates), each])
    lines.sort(key=lambda line: (line[0] == "as it is", line[1]))
    head = ["rows", "sensors", "detector", "within a factor 2", "median", "lowest", "highest", "fleet by fleet"]
    return markdown(head, lines)


def gain(found: Found, family: str) -> tuple[float, float]:
    """Mean difference of recall, by series less global, and its 2.5 % point over fleets drawn with replacement."""
    apart = np.subtract(found.recalls(family, "by series"), found.recalls(family, "global"))
    drawn = np.random.default_rng(0).choice(apart, (10_000, len(apart))).mean(axis=1)
    return float(apart.mean()), float(np.quantile(drawn, 0.025))


def recall_table(found: Found, family: str, seeds: Sequence[int]) -> str:
    """Episode recall by seed, and the difference."""
    recalls = {view: found.recalls(family, view) for view in _VIEWS}
    lines = [[view, *(f"{r:.2f}" for r in values), f"{np.mean(values):.2f}"] for view, values in recalls.items()]
    apart = np.subtract(recalls["by series"], recalls["global"])
    mean, low = gain(found, family)
    lines.append(["difference", *(f"{d:+.2f}" for d in apart), f"**{mean:+.2f}** (at least {low:+.2f})"])
    counts = [len(seen) for seen in found.episodes[family, "global"]]
    lines.append(["episodes", *map(str, counts), str(sum(counts))])
    return markdown(["episode recall", *map(str, seeds), "mean"], lines)


def family_table(found: Found) -> str:
    """Recall and onsets by family, over the seeds."""
    head = ["family, defaults", *(f"recall, {view}" for view in _VIEWS), "difference"]
    head += [f"onsets / budget, {view}" for view in _VIEWS]
    lines = []
    for family in dict.fromkeys(name for name, _ in found.episodes):
        means = [np.mean(found.recalls(family, view)) for view in _VIEWS]
        mean, low = gain(found, family)
        spent = [_figures(found.spent[family, view]) for view in _VIEWS]
        cells = [f"{middle} ({lowest} to {highest})" for middle, lowest, highest in spent]
        lines.append([family, *(f"{m:.2f}" for m in means), f"{mean:+.2f} (at least {low:+.2f})", *cells])
    return markdown(head, lines)


def kind_table(found: Found, family: str) -> str:
    """Recall and median delay by kind of fault, over all seeds."""
    head = [
        "kind",
        "episodes",
        *(f"recall, {view}" for view in _VIEWS),
        *(f"hours to alert, {view}" for view in _VIEWS),
    ]
    lines = []
    for kind in KINDS:
        seen = {view: [e for fleet in found.episodes[family, view] for e in fleet if e.kind == kind] for view in _VIEWS}
        count = len(seen["global"])
        if not count:
            lines.append([kind, "quarantined", *["—"] * 4])
            continue
        delays = [[e.delay_h for e in of_view if e.delay_h is not None] for of_view in seen.values()]
        medians = [f"{np.median(hours):.1f}" if hours else "—" for hours in delays]
        lines.append([kind, str(count), *(f"{recall(of_view):.2f}" for of_view in seen.values()), *medians])
    return markdown(head, lines)


def age_table(found: Found) -> str:
    """Onsets, alert rows and recall by age of the baselines."""
    head = ["reference rows of a series", "its baseline", "onsets / budget", "alert rows / calibrated share", "recall"]
    lines = []
    for (age, name), figures in sorted(found.ages.items(), key=lambda item: item[0][0] or 10**9):
        rates = [_range([getattr(aged, what) for aged in figures]) for what in ("onsets", "rows")]
        power = f"{np.mean([aged.recall for aged in figures]):.2f}"
        lines.append([str(age) if age else "all of the window", name, *rates, power])
    return markdown(head, lines)


def _figures(rates: Sequence[float]) -> tuple[str, str, str]:
    median, low, high = (f"{f(rates):.2f}" for f in (np.median, min, max))
    return median, low, high


def _range(values: Sequence[float]) -> str:
    digits = 0 if np.mean(values) >= 10 else 1
    mean, low, high = (f"{f(values):.{digits}f}" for f in (np.mean, min, max))
    return f"{mean} ({low} to {high})"
