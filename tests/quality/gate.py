"""`python -m tests.quality.gate`: how often the gate is wrong about challengers that are as good as the champion, or
worse by exactly the margin, on simulated fleets. Takes under three minutes on one core.
"""

import argparse
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from evaluation.comparison import compare
from evaluation.episodes import list_episodes
from evaluation.gate.decision import decide
from evaluation.gate.evidence import GateRules
from evaluation.injection import Injection
from evaluation.paired import Judged
from features.fleet.simulator import Fleet
from features.rows import Rows
from features.split import Window
from tests.evaluation.gate.models import evidence, judged, read_fleet, train, unlabelled
from tests.quality.document import markdown, publish

FLEETS, CHALLENGERS, MARGIN = 40, 5, 0.05
DETECTOR = "linear_autoencoder"
"""Fitted on other rows for each challenger; the quickest family, and one that sees injected faults."""


def wilson(hits: int, n: int, level: float = 0.95) -> tuple[float, float]:
    """Interval of a share (Wilson 1927)."""
    z, share = float(norm.ppf((1 + level) / 2)), hits / n
    middle, reach = share + z * z / (2 * n), z * np.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return (middle - reach) / (1 + z * z / n), (middle + reach) / (1 + z * z / n)


def blinded(champion: Judged, rows: Rows, share: float, rng: np.random.Generator) -> Judged:
    """The champion, blind to all faults of a ``share`` of the series: recall falls by that share of itself."""
    names = np.unique(rows.series)
    blind = np.isin(rows.series, names[rng.random(len(names)) < share])
    injected = champion.injected
    if injected is not None:
        seen = ~blind[injected.places.rows[:, 0]]
        injected = replace(injected, detected=injected.detected & seen)
    return Judged(champion.scores, champion.flagged & ~blind, injected)


def outcomes(sensors: int, fleets: int, challengers: int) -> Iterator[tuple[str, str]]:
    """Kind of comparison, or rule of the gate for an equal challenger, and its outcome."""
    for seed in range(101, 101 + fleets):
        data, rng = read_fleet(Fleet(sensors, 10, seed)), np.random.default_rng(seed)
        bare, test = unlabelled(data), data.window(Window.TEST)
        hidden, unused = bare.window(Window.TEST), np.zeros(len(test), bool)
        champion = train(data, 0, name=DETECTOR)
        old = judged(champion, bare, injection=Injection())
        for other in range(1, challengers + 1):
            challenger = train(data, other, name=DETECTOR)
            for reason in decide(evidence(data, challenger, champion), GateRules()).reasons:
                name = "equal: episode recall" if reason.rule == "comparison" else f"equal: rule of {reason.rule}"
                yield name, reason.outcome
            new = judged(challenger, bare, injection=Injection())
            yield "equal: recall of injected faults", _against(old, new, hidden, unused)
            hits = list_episodes(test, old.flagged)
            recall = 0.0 if hits is None or not len(hits.units) else float(hits.detected.mean())
            if recall > MARGIN:
                worse = blinded(old, test, MARGIN / recall, rng)
                yield "worse by the margin: episode recall", _against(old, worse, test, unused)
            assert old.injected is not None
            worse = blinded(old, hidden, MARGIN / old.injected.recall, rng)
            yield "worse by the margin: recall of injected faults", _against(old, worse, hidden, unused)


def _against(champion: Judged, challenger: Judged, rows: Rows, unused: NDArray[np.bool_]) -> str:
    return compare(champion, challenger, rows, unused, margin=MARGIN, seed=0).outcome


def table(found: Counter[tuple[str, str]]) -> str:
    """Shares of each outcome by kind, with 95 % intervals."""
    lines = []
    for kind in dict.fromkeys(kind for kind, _ in found):
        counts = [found[kind, outcome] for outcome in ("pass", "inconclusive", "refuse")]
        cells = []
        for count in counts:
            low, high = wilson(count, sum(counts))
            cells.append(f"{count} of {sum(counts)} ({max(low, 0):.1%} to {min(high, 1):.1%})")
        lines.append([kind, *cells])
    return markdown(("challenger", "passes", "inconclusive", "refused"), lines)


def main() -> None:
    """Print the table; with ``--write`` into docs/quality.md too."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sensors", type=int, default=30)
    parser.add_argument("--fleets", type=int, default=FLEETS)
    parser.add_argument("--challengers", type=int, default=CHALLENGERS)
    parser.add_argument("--write", action="store_true", help="into docs/quality.md")
    asked = parser.parse_args()
    found = table(Counter(outcomes(asked.sensors, asked.fleets, asked.challengers)))
    publish({"gate": found}, write=asked.write)


if __name__ == "__main__":
    main()
