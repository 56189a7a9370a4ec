"""PyOD beside us: a virtual environment of its own, made once in the workspace folder, and one process in it."""

import subprocess
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from tests.peer_environment import peer_python

PYOD = "3.6.7"
DETECTORS = ("IForest", "ECOD", "KNN", "PCA")
_SCRIPT = Path(__file__).with_name("pyod_scores.py")

Pair: TypeAlias = tuple[NDArray[np.float64], NDArray[np.float64]]


def pyod_scores(splits: Mapping[tuple[str, int], Pair]) -> dict[str, dict[tuple[str, int], NDArray[np.float64]]]:
    """Scores of the test rows by detector and split (name, seed) of training and test rows; {} without PyOD.

    Defaults, except for the seed; features standardised by the training rows, as PyOD's documents advise.
    """
    pins = [f"pyod=={PYOD}", *(f"{name}=={version(name)}" for name in ("numpy", "scikit-learn", "scipy"))]
    python = peer_python(f"pyod-{PYOD}", pins)
    if python is None:
        return {}
    with TemporaryDirectory() as folder:
        for number, ((_, seed), (training, test)) in enumerate(splits.items()):
            np.savez(Path(folder) / f"{number}.npz", training=training, test=test, seed=seed)
        subprocess.run([python, "-I", _SCRIPT, folder, *DETECTORS], check=True)
        found = {key: np.load(Path(folder) / f"{number}.scores.npz") for number, key in enumerate(splits)}
        return {f"PyOD {name}": {key: scores[name] for key, scores in found.items()} for name in DETECTORS}
