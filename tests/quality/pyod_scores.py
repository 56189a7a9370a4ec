"""Runs in the environment of tests.quality.peers: ``pyod_scores.py FOLDER DETECTOR…`` scores each ``N.npz`` there."""

import sys
import warnings
from importlib import import_module
from pathlib import Path

import numpy as np


def main(folder: str, *names: str) -> None:
    """Write ``N.scores.npz``, the scores of the test rows by detector: higher is more anomalous, as in PyOD."""
    warnings.filterwarnings("ignore")
    for file in sorted(Path(folder).glob("[0-9]*.npz")):
        given = np.load(file)
        centre, scale = given["training"].mean(axis=0), given["training"].std(axis=0)
        training, test = ((given[name] - centre) / np.where(scale > 0, scale, 1) for name in ("training", "test"))
        scores = {}
        for name in names:
            kind = getattr(import_module(f"pyod.models.{name.lower()}"), name)
            seeded = {"random_state": int(given["seed"])} if name in ("IForest", "PCA") else {}
            scores[name] = kind(**seeded).fit(training).decision_function(test)
        np.savez(file.with_name(f"{file.stem}.scores.npz"), **scores)


if __name__ == "__main__":
    main(*sys.argv[1:])
