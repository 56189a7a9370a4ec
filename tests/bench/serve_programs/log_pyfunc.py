"""Save a scikit-learn forest as an MLflow pyfunc that answers scores and alerts: FOREST FOLDER THRESHOLD."""

import sys
from typing import Any

import joblib
import mlflow.pyfunc
import numpy as np


class Forest(mlflow.pyfunc.PythonModel):  # type: ignore[misc]
    """Scores and alerts of rows."""

    def __init__(self, forest: Any, threshold: float) -> None:
        self.forest, self.threshold = forest, threshold

    def predict(self, context, model_input, params=None):  # type: ignore[no-untyped-def]  # noqa: ARG002
        """Of n rows."""
        scores = -self.forest.score_samples(np.asarray(model_input, np.float32))
        return {"scores": scores.tolist(), "alerts": (scores >= self.threshold).tolist()}


if __name__ == "__main__":
    source, folder, threshold = sys.argv[1:]
    mlflow.pyfunc.save_model(folder, python_model=Forest(joblib.load(source), float(threshold)), pip_requirements=[])
