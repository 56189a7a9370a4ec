"""The usual service: FastAPI, pydantic, and the forest as scikit-learn has it."""

import os

import joblib
import numpy as np
from fastapi import FastAPI
from pydantic import BaseModel

forest = joblib.load(os.environ["FOREST"])
threshold = float(os.environ["THRESHOLD"])
app = FastAPI()


class Request(BaseModel):
    """As vigia's."""

    data: list[list[float]]


class Answer(BaseModel):
    """Of n rows."""

    scores: list[float]
    alerts: list[bool]


@app.get("/health")
def health() -> dict[str, str]:
    """Up."""
    return {"status": "ok"}


@app.post("/predict")
def predict(request: Request) -> Answer:
    """Scores and alerts."""
    scores = -forest.score_samples(np.asarray(request.data, np.float32))
    return Answer(scores=scores.tolist(), alerts=(scores >= threshold).tolist())
