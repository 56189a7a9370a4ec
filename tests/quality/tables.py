"""`python -m tests.quality.tables`: ours beside scikit-learn and PyOD on tables without time, with labels and without.

Prints the tables; --write puts them into docs/quality.md. A few minutes in one process.
"""

import argparse
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import IsolationForest
from sklearn.model_selection import train_test_split

from evaluation.measures import ranking
from serving.scorer import score
from tests.quality.document import markdown, publish
from tests.quality.labelled import TRIALS, fit, search
from tests.quality.peers import DETECTORS, Pair, pyod_scores
from tests.quality.sets import Drawn, adbench, bundled, splits
from training.detectors.registry import FAMILIES, family

TOLERATED = 0.05
PLAIN = "extended_forest"
SKLEARN = "scikit-learn IsolationForest"
_ADBENCH = Path(__file__).parents[3] / "shared" / "data" / "adbench"


@dataclass
class Results:
    """(AUROC, average precision) by detector, set and seed; how often each family was chosen by labels."""

    figures: dict[str, dict[str, list[tuple[float, float]]]] = field(default_factory=dict)
    chosen: Counter[str] = field(default_factory=Counter)

    def add(self, detector: str, name: str, scores: NDArray[np.floating], truth: NDArray[np.int8]) -> None:
        """Judge (n,) scores of test rows; PyOD's may be infinite."""
        auroc, precision, _ = ranking(np.nan_to_num(scores), truth)
        assert auroc is not None
        assert precision is not None
        self.figures.setdefault(detector, {}).setdefault(name, []).append((auroc, precision))

    def mean(self, detector: str, name: str | None = None) -> NDArray[np.float64]:
        """(2,) mean over the seeds of one set, or over those means of all sets."""
        by_set = {key: np.mean(found, axis=0) for key, found in self.figures[detector].items()}
        return np.asarray(np.mean(list(by_set.values()), axis=0) if name is None else by_set[name])


def judge_unlabelled(name: str, part: Drawn, seed: int, results: Results) -> None:
    """scikit-learn's default and every family's, fitted on all training rows, anomalies included."""
    forest = IsolationForest(random_state=seed).fit(part.training)
    results.add(SKLEARN, name, -forest.score_samples(part.test), part.truth)
    for detector in FAMILIES:
        scorer = fit(detector, family(detector).defaults, seed, part.training)
        results.add(detector, name, score(scorer, part.test), part.truth)


def judge_labelled(name: str, part: Drawn, seed: int, results: Results) -> None:
    """As `vigia train` does with labels: known anomalies left out, a search by a selection part, its best trial."""
    reference, selection, known, truth = train_test_split(
        part.training, part.known, test_size=0.3, stratify=part.known, random_state=seed
    )
    reference = reference[known == 0]
    found = search(reference, selection, truth, seed)
    results.chosen[found.family] += 1
    chosen = fit(found.family, found.parameters, seed, reference)
    results.add("with labels: chosen by a search", name, score(chosen, part.test), part.truth)
    plain = fit(PLAIN, family(PLAIN).defaults, seed, reference)
    results.add(f"with labels: {PLAIN}, nothing chosen", name, score(plain, part.test), part.truth)


def per_set(results: Results) -> str:
    """Means, what is worse than scikit-learn by more than tolerated, and every set; AUROC / average precision."""
    sets = list(results.figures[SKLEARN])
    head = ["detector", "mean", f"worse than scikit-learn by over {TOLERATED}", *sets]
    lines = []
    for detector in results.figures:
        cells = [_pair(results.mean(detector, name)) for name in sets]
        lines.append([detector, f"**{_pair(results.mean(detector))}**", _worse(results, detector), *cells])
    missing = [f"PyOD {name}" for name in DETECTORS if f"PyOD {name}" not in results.figures]
    return markdown(head, lines + [[name, "not measured", *[""] * (len(sets) + 1)] for name in missing])


def in_short(results: Results) -> str:
    """Means and counts over many small sets."""
    head = [
        "detector",
        "mean",
        f"AUROC better by over {TOLERATED}",
        f"worse by over {TOLERATED}",
        "worst AUROC difference",
    ]
    lines = []
    for detector in results.figures:
        apart = np.array([results.mean(detector, n) - results.mean(SKLEARN, n) for n in results.figures[detector]])
        better, worse = ((sign * apart[:, 0] > TOLERATED).sum() for sign in (1, -1))
        of = f"of {len(apart)}"
        lines.append(
            [detector, _pair(results.mean(detector)), f"{better} {of}", f"{worse} {of}", f"{apart[:, 0].min():+.2f}"]
        )
    return markdown(head, lines)


def _worse(results: Results, detector: str) -> str:
    found = []
    for name in results.figures[detector]:
        apart = results.mean(detector, name) - results.mean(SKLEARN, name)
        parts = [f"{what} {d:+.2f}" for what, d in zip(("AUROC", "AP"), apart, strict=True) if d < -TOLERATED]
        found += [f"{name} ({', '.join(parts)})"] if parts else []
    return "; ".join(found) or "none"


def _pair(figures: NDArray[np.float64]) -> str:
    return " / ".join(f"{value:.3f}".removeprefix("0") for value in figures)


def main() -> None:
    """Print the tables, or put them into the document."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="replace the tables in docs/quality.md")
    parser.add_argument("--data", type=Path, default=_ADBENCH, help="folder of the six sets of ADBench, as Parquet")
    arguments = parser.parse_args()
    results, unseen, pairs = Results(), Results(), dict[tuple[str, int], Pair]()
    sets = adbench(arguments.data)
    if not sets:
        raise SystemExit(f"no Parquet files in {arguments.data}: --data names the folder of the sets")
    for name, seed, part in splits(sets):
        judge_unlabelled(name, part, seed, results)
        pairs[name, seed] = part.training, part.test
    for name, seed, part in splits(sets):
        judge_labelled(name, part, seed, results)
    for detector, found in pyod_scores(pairs).items():
        for name, seed, part in splits(sets):
            results.add(detector, name, found[name, seed], part.truth)
    for name, seed, part in splits(bundled()):
        judge_unlabelled(name, part, seed, unseen)
    chosen = ", ".join(f"{name} {times}" for name, times in results.chosen.most_common())
    note = f"Chosen by labels, of {sum(results.chosen.values())} searches over {TRIALS} trials: {chosen}."
    publish({"tables": f"{per_set(results)}\n\n{note}", "tables unseen": in_short(unseen)}, write=arguments.write)


if __name__ == "__main__":
    main()
