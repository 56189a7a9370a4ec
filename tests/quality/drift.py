"""`python -m tests.quality.drift [--write]`: how often the drift verdict is a false alarm on simulated fleets, and what
it finds.

Reference: the normal rows of the first half of ten days of 30 sensors. Current: those of the last 1.8 days, of the same
fleet as it is, with each kind of injected drift from day 8 on, and of other machines whose sensors have the same names.
Half an hour.
"""

import argparse
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from evaluation.drift.assess import Assessment, assess
from evaluation.drift.verdict import DriftLimits
from features.fleet.drift import DRIFTS
from features.fleet.simulator import Fleet, injected_drift
from features.rows import Rows
from features.split import Window
from serving.baselines import Baselines, make_baselines
from serving.reference import MAX_ROWS, sample
from tests.evaluation.gate.models import read_fleet
from tests.quality.document import markdown, publish
from tests.quality.gate import wilson
from training.baselines import BaselineRules, fit_baselines

DAYS, DRIFT_DAY, FROM_DAY = 10, 8, 8.2
RULES = BaselineRules(288, 23.0, 50.0, 0.25)
NONE, OTHERS = "none", "every sensor on another machine"
_DAY_US = 86_400 * 1_000_000


@dataclass(frozen=True)
class Case:
    """What was compared: the change, whether rows were seen as deviations from baselines, and what came out."""

    change: str
    baselines: bool
    found: Assessment


def cases(fleets: int, sensors: int) -> Iterator[Case]:
    """Every change on every fleet, with baselines and without."""
    for seed in range(101, 101 + fleets):  # the limits were chosen on others
        plain = Fleet(sensors, DAYS, seed)
        reference = read_fleet(plain).normal(Window.REFERENCE)
        baselines = make_baselines(fit_baselines(reference, RULES))
        reference = reference.take(sample(len(reference), MAX_ROWS, seed))
        changed = {NONE: plain, OTHERS: Fleet(sensors, DAYS, 10_000 + seed)}
        changed |= {kind: injected_drift(plain, kind, DRIFT_DAY) for kind in DRIFTS}
        for change, fleet in changed.items():
            current = _late(fleet, seed)
            for used in (baselines, None):
                yield Case(change, used is not None, _assess(reference, current, used, seed))


def _late(fleet: Fleet, seed: int) -> Rows:
    rows = read_fleet(fleet).rows
    assert rows.times is not None
    late = rows.take((rows.times >= rows.times.min() + int(FROM_DAY * _DAY_US)) & ~rows.anomalous)
    return late.take(sample(len(late), MAX_ROWS, seed))


def _assess(reference: Rows, current: Rows, baselines: Baselines | None, seed: int) -> Assessment:
    return assess(reference, current, baselines, DriftLimits(), seed)


def table(found: list[Case]) -> str:
    """Outcomes by change, with the 95 % interval of the share that is not ok."""
    head = ["change", "baselines", "ok", "watch", "retrain", "not ok (95 %)", "median largest shift", "series moved"]
    lines = []
    for key in dict.fromkeys((case.change, case.baselines) for case in found):
        same = [case.found for case in found if (case.change, case.baselines) == key]
        counts = Counter(one.verdict.outcome for one in same)
        alarms = len(same) - counts["ok"]
        low, high = wilson(alarms, len(same))
        largest = np.median([max(abs(effect.shift.value) for effect in one.effects) for one in same])
        moved = np.median([one.series.share for one in same])
        lines.append(
            [
                key[0],
                "yes" if key[1] else "no",
                *(str(counts[outcome]) for outcome in ("ok", "watch", "retrain")),
                f"{alarms / len(same):.0%} ({max(low, 0):.0%} to {min(high, 1):.0%})",
                f"{largest:.2f}",
                f"{moved:.1%}",
            ]
        )
    return markdown(head, lines)


def main() -> None:
    """Print the table; with --write put it into docs/drift.md."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fleets", type=int, default=30)
    parser.add_argument("--sensors", type=int, default=30)
    parser.add_argument("--write", action="store_true")
    asked = parser.parse_args()
    found = list(cases(asked.fleets, asked.sensors))
    publish({"drift verdicts": table(found)}, write=asked.write, to="drift.md")


if __name__ == "__main__":
    main()
