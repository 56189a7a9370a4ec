"""Isolation Forest: rows that random splits isolate early are anomalous.

Source: Liu, Ting, Zhou: Isolation Forest, ICDM 2008. Fails on anomalies that are dense clusters, and on those visible
only in combinations of features that axis-parallel splits cut badly.
"""

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import IsolationForest

from training.export.trees import export_isolation_forest
from training.space import Choice, Parameters, Real, Report, Space, Whole, no_report

DEFAULTS: Parameters = {"n_estimators": 100, "max_samples": 256, "max_features": 1.0, "bootstrap": False}
SPACE: Space = {
    "n_estimators": Whole(50, 200),
    "max_samples": Choice((64, 128, 256, 512, 1024)),
    "max_features": Real(0.4, 1.0),
    "bootstrap": Choice((False, True)),
}


def fit(
    values: NDArray[np.float32],
    parameters: Parameters,
    seed: int,
    *,
    report: Report = no_report,  # noqa: ARG001  # fitted in one step
) -> bytes:
    """ONNX graph of a forest fitted on transformed features (n, d)."""
    chosen = {**parameters, "max_samples": min(int(parameters["max_samples"]), len(values))}
    forest = IsolationForest(**chosen, random_state=seed, n_jobs=1).fit(values)
    return export_isolation_forest(forest)
