"""Tables without time: the six ADBench sets, those that come with scikit-learn, and their seeded splits."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray
from sklearn import datasets
from sklearn.model_selection import train_test_split

SEEDS = (1, 2, 3)

Table: TypeAlias = tuple[NDArray[np.float64], NDArray[np.int8]]
"""(n, d) values and (n,) labels."""


@dataclass(frozen=True)
class Drawn:
    """One table split 70/30 by a seed, with the shares of anomalies kept: values and labels of both parts."""

    training: NDArray[np.float64]
    test: NDArray[np.float64]
    known: NDArray[np.int8]
    truth: NDArray[np.int8]


def adbench(folder: Path) -> dict[str, Table]:
    """Values and labels of the sets of a folder."""
    found = {}
    for file in sorted(folder.glob("*.parquet")):
        table = pq.read_table(file)
        label = table["label"].to_numpy().astype(np.int8)
        found[file.stem] = np.column_stack([c.to_numpy() for c in table.drop(["label"]).columns]).astype(float), label
    return found


def bundled(seed: int = 0) -> dict[str, Table]:
    """Tables that come with scikit-learn and had no part in any choice: a class is rare, or alone is normal."""
    found, rng = {}, np.random.default_rng(seed)
    digits, wine, cancer = datasets.load_digits(), datasets.load_wine(), datasets.load_breast_cancer()
    tasks = [(f"digit {c} is rare", digits, digits.target == c, 0.05) for c in range(10)]
    tasks += [(f"digit {c} is normal", digits, digits.target != c, 0.1) for c in range(10)]
    tasks += [(f"wine {c} is rare", wine, wine.target == c, 0.1) for c in range(3)]
    tasks += [("cancer is rare", cancer, cancer.target == 0, 0.05)]
    for name, source, anomalous, share in tasks:
        normal, rare = np.flatnonzero(~anomalous), np.flatnonzero(anomalous)
        few = rng.choice(rare, min(len(rare), round(share * len(normal) / (1 - share))), replace=False)
        kept = np.sort(np.r_[normal, few])
        found[name] = source.data[kept].astype(float), anomalous[kept].astype(np.int8)
    return found


def splits(sets: Mapping[str, Table]) -> Iterator[tuple[str, int, Drawn]]:
    """Every set by name, split by every seed."""
    for name, (values, labels) in sets.items():
        for seed in SEEDS:
            yield (
                name,
                seed,
                Drawn(*train_test_split(values, labels, test_size=0.3, stratify=labels, random_state=seed)),
            )
