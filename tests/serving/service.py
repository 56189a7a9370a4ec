"""A replica in process: a small published bundle, and one HTTP call of its ASGI application."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from evaluation.calibration import AlertBudget, calibrate
from features.history import scorable
from features.rows import Rows
from features.storage import publish_folder
from flows.steps.packing import beside_model
from serving.bundle import digest_of, make_history, make_scorer, pack
from serving.holder import Holder
from serving.manifest import FORMAT, Manifest, PastRows
from serving.prediction_log import PredictionLog
from serving.routes import make_app
from serving.scorer import score_rows
from serving.settings import BundleRef
from training.detectors.registry import family
from training.objective import fit_detector
from training.scaling import fit_scaling


def publish(
    store: Path,
    seed: int = 1,
    history: PastRows | None = None,
    *,
    named: str = "isolation_forest",
    features: tuple[str, ...] = ("a", "b", "c"),
    values: np.ndarray | None = None,
    **more: Any,
) -> BundleRef:
    """A bundle fitted on normal rows (500, d) around 5, under the digest in ``store``; ``more``: of its manifest."""
    if values is None:
        values = np.random.default_rng(seed).normal(5, 2, (500, len(features)))
    n = len(values)
    rows = Rows(features, values, np.zeros(n, np.int64), ("all",), np.arange(n), None)
    ready, chosen = scorable(rows, make_history(history)), family(named)
    scaling = fit_scaling(ready.expanded())
    model = fit_detector(chosen.name, chosen.defaults, seed=seed, scaling=scaling, reference=ready.expanded())
    scores = score_rows(make_scorer(scaling, model, history), ready)
    found = calibrate(scores, ready.rows, AlertBudget(by_rows=True), 0)
    manifest = Manifest(
        format=FORMAT,
        family=chosen.name,
        parameters=dict(chosen.defaults),
        features=list(features),
        transform=scaling,
        threshold=found.threshold,
        alpha=found.alpha,
        calibration=found.calibration,
        budget=found.budget,
        seed=seed,
        simulated=False,
        history=history,
    )
    beside = beside_model(model, scaling, ready.expanded(), ready.rows, seed)
    return store_files(store, pack(msgspec.structs.replace(manifest, **more), model, beside=beside), str(seed))


def store_files(store: Path, files: Mapping[str, bytes], version: str = "1") -> BundleRef:
    """Publish the files of a bundle under their digest."""
    digest = digest_of(files)
    publish_folder(files, store / digest)
    return BundleRef((store / digest).as_uri(), digest, "m", version)


def serve(ref: BundleRef) -> Holder:
    """A holder that serves a bundle."""
    holder = Holder()
    holder.wish(ref, BundleRef())
    return holder


@dataclass(frozen=True)
class Answer:
    """Status, body and headers of an answer."""

    status: int
    body: bytes
    headers: dict[str, str]

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


class Service:
    """The application of one replica."""

    def __init__(self, holder: Holder, root: str = "", log: PredictionLog | None = None) -> None:
        self.holder, self._app, self._root = holder, make_app(holder, self._fleet, log=log), root

    @property
    def ref(self) -> BundleRef:
        """The bundle that is served."""
        assert self.holder.served
        return self.holder.served.ref

    def call(self, method: str, path: str, body: bytes = b"", query: bytes = b"", **headers: str) -> Answer:
        """One request; header names with _ for -."""
        return asyncio.run(self.answer(method, path, body, query, **headers))

    def predict(self, body: Any, query: bytes = b"", **headers: str) -> Answer:
        """POST to /predict; what is not bytes goes as JSON."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.call("POST", "/predict", content, query, **headers)

    async def answer(self, method: str, path: str, body: bytes = b"", query: bytes = b"", **headers: str) -> Answer:
        """As ``call``, where a loop runs already."""
        parts = [body[start : start + 2**20] for start in range(0, len(body), 2**20)] or [b""]
        sent: list[dict[str, Any]] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": parts.pop(0), "more_body": bool(parts)}

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        named = [(name.replace("_", "-").encode(), text.encode("latin-1")) for name, text in headers.items()]
        scope = {"type": "http", "method": method, "path": path, "root_path": self._root}
        await self._app(scope | {"query_string": query, "headers": named}, receive, send)
        start, end = sent
        return Answer(start["status"], end["body"], {key.decode(): text.decode() for key, text in start["headers"]})

    async def _fleet(self) -> list[dict[str, Any]]:
        return [{"replica": "one"}]
