"""One Isolation Forest twice: as scikit-learn's object for the peers, and as a published bundle."""

from dataclasses import dataclass
from pathlib import Path

import joblib
import numpy as np
from sklearn.ensemble import IsolationForest

from evaluation.calibration import AlertBudget, calibrate
from features.rows import Rows
from features.storage import publish_folder
from serving.bundle import digest_of, make_scorer, pack
from serving.manifest import FORMAT, Manifest, RobustScaling
from serving.scorer import score
from serving.settings import BundleRef
from training.export.trees import export_isolation_forest

FEATURES = tuple("abcdefghij")


@dataclass(frozen=True)
class Twins:
    """Files of the forest for scikit-learn (joblib) and as bare ONNX, and the bundle."""

    sklearn: Path
    onnx: Path
    bundle: BundleRef
    threshold: float


def make_twins(folder: Path) -> Twins:
    """100 trees of 256 rows, fitted on 20,000 normal rows of ten features, without scaling: inputs are then equal."""
    values = np.random.default_rng(0).normal(size=(20_000, len(FEATURES)))
    forest = IsolationForest(n_estimators=100, random_state=0).fit(values.astype(np.float32))
    model, n = export_isolation_forest(forest), len(values)
    scaling = RobustScaling([0.0] * len(FEATURES), [1.0] * len(FEATURES), 1e6)
    scores = score(make_scorer(scaling, model), values)
    rows = Rows(FEATURES, values, np.zeros(n, np.int64), ("all",), np.arange(n), None)
    found = calibrate(scores, rows, AlertBudget(by_rows=True), 0)
    manifest = Manifest(
        format=FORMAT,
        family="isolation_forest",
        parameters={"n_estimators": 100, "max_samples": 256},
        features=list(FEATURES),
        transform=scaling,
        threshold=found.threshold,
        alpha=found.alpha,
        calibration=found.calibration,
        budget=found.budget,
        seed=0,
        simulated=False,
    )
    files = pack(manifest, model)
    digest = digest_of(files)
    publish_folder(files, folder / "bundles" / digest)
    joblib.dump(forest, folder / "forest.joblib")
    (folder / "forest.onnx").write_bytes(model)
    ref = BundleRef((folder / "bundles" / digest).as_uri(), digest, "bench", "1")
    return Twins(folder / "forest.joblib", folder / "forest.onnx", ref, found.threshold)
