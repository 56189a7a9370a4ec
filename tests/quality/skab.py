"""`make bench-skab`: the Skoltech Anomaly Benchmark by the protocol of its leaderboard, in one process.

Prints the table; --write puts it into docs/quality.md. Under two minutes on two cores.
"""

import argparse
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import TypeAlias

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from evaluation.calibration import AlertBudget, calibrate, usual_period
from features.history import Scorable, scorable
from features.rows import Rows, from_table
from flows.config.loading import load_config
from flows.config.train import TrainConfig
from flows.steps.table import open_data
from serving.bundle import make_history, make_scorer
from serving.manifest import PastRows
from serving.scorer import prepare, score_rows
from tests.quality.document import markdown, publish
from training.detectors.registry import FAMILIES, family
from training.objective import fit_detector
from training.scaling import fit_scaling

GROUPS = ("valve1", "valve2", "other")
TRAINING, FITTED = 400, 300
"""The first rows of an experiment, and those a detector is fitted on; the other 100 set the threshold (99 for 1 %)."""
HISTORIES = (0, 5, 20)
RATES = (0.01, 0.02, 0.05)
_ANY_GAP_S = 3600.0  # within an experiment: every judged row has a history
_CONFIG = Path(__file__).parents[2] / "configs" / "skab.yaml"


@dataclass(frozen=True)
class Configuration:
    """A family with default parameters, past rows as further features, and the alert rate that is promised."""

    family: str
    history: int
    rate: float

    def __str__(self) -> str:
        return f"{self.family.replace('_', ' ')}, history {self.history}, {self.rate:.0%}"


@dataclass(frozen=True)
class Counts:
    """Judged rows: right and false alarms, missed, rightly silent; false alarms and rows before the first
    anomaly."""

    right: int = 0
    false: int = 0
    missed: int = 0
    silent: int = 0
    early_false: int = 0
    early: int = 0

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(*(a + b for a, b in zip(vars(self).values(), vars(other).values(), strict=True)))

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall."""
        return 2 * self.right / max(1, 2 * self.right + self.false + self.missed)

    @property
    def balanced_accuracy(self) -> float:
        """Mean of the shares of anomalous and of normal rows that are judged rightly."""
        return 1 - (self.false_rate + self.missed_rate) / 2

    @property
    def false_rate(self) -> float:
        """Share of the normal rows that are alerts."""
        return self.false / max(1, self.false + self.silent)

    @property
    def missed_rate(self) -> float:
        """Share of the anomalous rows that are none."""
        return self.missed / max(1, self.missed + self.right)

    @property
    def early_rate(self) -> float:
        """Share of the rows before the first anomaly of their experiment that are alerts."""
        return self.early_false / max(1, self.early)


Found: TypeAlias = Mapping[Configuration, Mapping[str, Counts]]


def read_experiments() -> Rows:
    """The labelled experiments; the anomaly-free record has no judged rows. Raises InputError without the data set."""
    opened = open_data(load_config(TrainConfig, _CONFIG).data, _CONFIG.parent)
    rows = from_table(pa.Table.from_batches(opened.source.blocks(opened.schema.columns)), opened.schema)
    assert rows.labels is not None
    return rows.take(rows.labels >= 0)


def judge_experiments(rows: Rows) -> Found:
    """Counts by configuration and experiment."""
    starts = np.flatnonzero(np.r_[True, np.diff(rows.series) != 0])
    place = np.arange(len(rows)) - np.repeat(starts, np.diff(np.r_[starts, len(rows)]))
    found: dict[Configuration, dict[str, Counts]] = {}
    for depth, name in product(HISTORIES, FAMILIES):
        past = PastRows(depth, ["lags"], _ANY_GAP_S) if depth else None
        known = scorable(rows, make_history(past))
        for code in np.unique(rows.series):
            mine = known.rows.series == code
            for rate, counts in _judge(known.take(mine), place[known.at][mine], name, past):
                found.setdefault(Configuration(name, depth, rate), {})[rows.series_names[code]] = counts
    return found


def _judge(
    rows: Scorable, place: NDArray[np.int64], name: str, past: PastRows | None
) -> Iterator[tuple[float, Counts]]:
    """Counts by promised rate of one experiment; the labels of its training rows are not looked at."""
    reference = prepare(rows.take(place < FITTED), None)
    calibration, judged = rows.take((place >= FITTED) & (place < TRAINING)), rows.take(place >= TRAINING)
    scaling = fit_scaling(reference)
    model = fit_detector(name, family(name).defaults, seed=0, scaling=scaling, reference=reference)
    scorer = make_scorer(scaling, model, past)
    known, scores, period_us = score_rows(scorer, calibration), score_rows(scorer, judged), usual_period(rows.rows)
    for rate in RATES:
        budget = AlertBudget(row_rate=rate, by_rows=True)
        yield rate, count(scores >= calibrate(known, calibration.rows, budget, period_us).threshold, judged.rows)


def count(flagged: NDArray[np.bool_], rows: Rows) -> Counts:
    """Counts of (n,) alert rows of one experiment."""
    truth = rows.anomalous
    early = np.cumsum(truth) == 0
    pairs = (
        (flagged, truth),
        (flagged, ~truth),
        (~flagged, truth),
        (~flagged, ~truth),
        (flagged, early),
        (early, early),
    )
    return Counts(*(int(np.sum(a & b)) for a, b in pairs))


def of_groups(counts: Mapping[str, Counts], groups: Sequence[str]) -> Counts:
    """The pooled counts of some experiment groups."""
    return sum((c for name, c in counts.items() if name.split("_")[0] in groups), Counts())


def chosen_elsewhere(found: Found, by: Callable[[Counts], float]) -> dict[str, Configuration]:
    """For each group the configuration that is best on the other groups."""
    others = {group: [other for other in GROUPS if other != group] for group in GROUPS}
    return {group: max(found, key=lambda c: by(of_groups(found[c], others[group]))) for group in GROUPS}


def table(found: Found) -> str:
    """All alerts, what the other groups choose, and every configuration at the lowest rate."""
    head = ["configuration", "F1", "false alarms", "missed alarms", "balanced accuracy", "promised", "before any fault"]
    lines = [_line("every row an alert", _all_alerts(next(iter(found.values()))), "—")]
    for title, by in (("balanced accuracy", lambda c: c.balanced_accuracy), ("F1", lambda c: c.f1)):
        chosen = chosen_elsewhere(found, by)
        pooled = sum((of_groups(found[c], [group]) for group, c in chosen.items()), Counts())
        promised = {f"{c.rate:.0%}" for c in chosen.values()}
        lines.append(_line(f"**chosen on the other groups by {title}**", pooled, " to ".join(sorted(promised))))
        lines += [_line(f"… {g}: {c}", of_groups(found[c], [g]), f"{c.rate:.0%}") for g, c in chosen.items()]
    fixed = [c for c in found if c.rate == RATES[0]]
    lines += [_line(f"{c}", of_groups(found[c], GROUPS), f"{c.rate:.0%}") for c in fixed]
    return markdown(head, lines)


def _all_alerts(counts: Mapping[str, Counts]) -> Counts:
    known = of_groups(counts, GROUPS)
    right, false = known.right + known.missed, known.false + known.silent
    return Counts(right=right, false=false, early_false=known.early, early=known.early)


def _line(name: str, c: Counts, promised: str) -> list[str]:
    figures = (f"{c.f1:.3f}", f"{c.false_rate:.1%}", f"{c.missed_rate:.1%}", f"{c.balanced_accuracy:.3f}")
    return [name, *figures, promised, f"{c.early_rate:.1%}"]


def main() -> None:
    """Print the table, or put it into the document."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="replace the table in docs/quality.md")
    arguments = parser.parse_args()
    publish({"skab": table(judge_experiments(read_experiments()))}, write=arguments.write)


if __name__ == "__main__":
    main()
