"""A search by labels as `vigia train` runs it, without Ray: the same proposals, objective and choice in one process."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evaluation.calibration import AlertBudget
from features.rows import Rows
from serving.bundle import make_scorer
from serving.scorer import Scorer
from training.batches import BATCH, Batches
from training.detectors.registry import FAMILIES, family
from training.objective import AVERAGE_PRECISION, View, fit_detector, objective
from training.proposals import make_proposer
from training.scaling import fit_scaling
from training.space import Parameters
from training.trials import Goal, Trial, best
from training.worker import evaluate

TRIALS = 12


def fit(name: str, parameters: Parameters, seed: int, reference: NDArray[np.float64]) -> Scorer:
    """The scorer of a family fitted on (n, d) values."""
    scaling = fit_scaling(reference)
    return make_scorer(scaling, fit_detector(name, parameters, seed=seed, scaling=scaling, reference=reference))


def search(reference: NDArray[np.float64], selection: NDArray[np.float64], truth: NDArray[np.int8], seed: int) -> Trial:
    """The best of the trials that training.search would run, here one after another in this process."""
    names = tuple(f"f{k}" for k in range(selection.shape[1]))
    rows = Rows(names, selection, np.zeros(len(truth), np.int64), ("all",), None, truth)
    view, goal = View(fit_scaling(reference), reference, selection), Goal(AVERAGE_PRECISION)
    shared: dict[str, Any] = {"views": {False: view}, "rows": rows, "budget": AlertBudget(), "period_us": 0}
    proposer = make_proposer([(name, family(name).defaults) for name in FAMILIES], seed, BATCH)
    with TemporaryDirectory() as records:
        batches = Batches(proposer, TRIALS, goal, Path(records), None, lambda _: None)
        while batch := batches.propose():
            for trial in batch:
                found = evaluate(objective, trial.family, trial.parameters, seed, batches.earlier(trial), **shared)
                batches.record(trial, found)
    return best(list(batches.trials.values()), goal)
