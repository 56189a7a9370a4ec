"""`python -m tests.quality.budgets`: alert budgets kept on fleets used nowhere else, and what baselines are worth.

Prints the tables; --write puts them into docs/quality.md. Exits with 1 where a promise does not hold. Some minutes in
one process.
"""

import argparse

import numpy as np
from numpy.typing import NDArray

from features.fleet.simulator import Fleet
from flows.config.train import TrainConfig
from tests.quality.budget_tables import (
    Aged,
    Found,
    age_table,
    budget_table,
    family_table,
    gain,
    kind_table,
    recall_table,
)
from tests.quality.document import publish
from tests.quality.fleets import (
    RULES,
    Judged,
    Windows,
    cut,
    episodes,
    judge_by_series,
    judge_global,
    onsets_by_budget,
    read_fleet,
    recall,
    shuffled,
)
from training.baselines import BaselineRules
from training.detectors.registry import FAMILIES
from training.strata import score_as_young

FLEETS = {30: tuple(range(101, 121)), 60: tuple(range(121, 141))}
"""Sensors of a fleet of ten days, and seeds that are used nowhere else."""
COMPARED, AGED = FLEETS[30][:10], FLEETS[30][:5]
AGES = (10, 30, 100, 288, 1000)
UNSHRUNK = BaselineRules(shrinkage=1e-9, floor=0.0)
GAIN, WITHIN = 0.10, 0.9
"""Required: recall gained by baselines, lower bound above 0; share of large exchangeable fleets within a factor 2."""


def judge_fleet(fleet: Fleet, default: str, found: Found) -> None:
    """Add what one fleet shows, as it is and with its normal rows shuffled."""
    rows, kinds = read_fleet(fleet)
    for setting, part in (("exchangeable", shuffled(rows, kinds, fleet.seed)), ("as it is", (rows, kinds))):
        windows = cut(*part)
        compared = setting == "as it is" and fleet.seed in COMPARED
        for name in FAMILIES if compared else (default,):
            for view, judge in (("global", judge_global), ("by series", judge_by_series)):
                judged = judge(windows, name, fleet.seed)
                rate = onsets_by_budget(judged.flagged, windows.test.rows, windows.period_us)
                if compared:
                    seen = episodes(windows.test.rows, windows.kinds, judged.flagged)
                    found.episodes.setdefault((name, view), []).append(seen)
                    found.spent.setdefault((name, view), []).append(rate)
                if name == default:
                    found.rates.setdefault((setting, fleet.sensors, f"{name}, {view}"), []).append(rate)
                if name == default and judged.others and setting == "as it is" and fleet.seed in AGED:
                    add_ages(windows, judged, found)


def add_ages(windows: Windows, judged: Judged, found: Found) -> None:
    """Test rows as if their series had baselines of a few rows."""
    assert judged.others is not None
    for age in AGES:
        for name, rules, by in (
            ("as they come, one threshold", UNSHRUNK, judged.own),
            ("shrunk, one threshold", RULES, judged.own),
            ("**shrunk, a threshold for young rows**", RULES, judged.others.young),
        ):
            scores = score_as_young(judged.scorer, windows.reference.rows, windows.test, rules, (age,))
            known = ~np.isnan(scores)
            aged = _aged(windows, scores >= by.threshold, known, by.alpha)
            found.ages.setdefault((age, name), []).append(aged)
    everything = np.ones(len(judged.flagged), bool)
    aged = _aged(windows, judged.flagged, everything, judged.own.alpha)
    found.ages.setdefault((0, "as fitted"), []).append(aged)


def _aged(windows: Windows, flagged: NDArray[np.bool_], known: NDArray[np.bool_], promised: float) -> Aged:
    rows, flagged = windows.test.rows.take(known), flagged[known]
    return Aged(
        onsets=onsets_by_budget(flagged, rows, windows.period_us),
        rows=float(flagged[~rows.anomalous].mean()) / promised,
        recall=recall(episodes(rows, windows.kinds[known], flagged)),
    )


def broken_promises(found: Found, default: str) -> list[str]:
    """A sentence for each promise that does not hold."""
    mean, low = gain(found, default)
    faults = [f"recall with baselines: {mean:+.2f}, at least {low:+.2f}"] if mean < GAIN or low <= 0 else []
    for (setting, sensors, detector), rates in found.rates.items():
        within = sum(0.5 <= rate <= 2 for rate in rates)
        if setting == "exchangeable" and sensors == max(FLEETS) and within < WITHIN * len(rates):
            faults.append(f"exchangeable, {sensors} sensors, {detector}: {within} of {len(rates)} within a factor 2")
    return faults


def main() -> None:
    """Print the tables, or put them into the document."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="replace the tables in docs/quality.md")
    default = TrainConfig().search.families[0]
    parser.add_argument("--family", choices=FAMILIES, default=default, help="of the tables of one family")
    arguments = parser.parse_args()
    found = Found()
    for sensors, seeds in FLEETS.items():
        for seed in seeds:
            judge_fleet(Fleet(sensors, 10, seed), arguments.family, found)
    tables = {
        "budgets": budget_table(found),
        "series recall": recall_table(found, arguments.family, COMPARED),
        "series families": family_table(found),
        "series kinds": kind_table(found, arguments.family),
        "ages": age_table(found),
    }
    publish(tables, write=arguments.write)
    if faults := broken_promises(found, arguments.family):
        raise SystemExit("\n".join(faults))


if __name__ == "__main__":
    main()
