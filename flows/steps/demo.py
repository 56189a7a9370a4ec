"""`vigia demo`: the whole loop on this machine, each link by the command a person would type."""

import json
import subprocess
import sys
import time
from pathlib import Path

from features.errors import RolloutError, UnreachableError
from features.typed import Clock, type_block
from flows.adapters.registry import registry_of
from flows.adapters.serve_api import ServeApi
from flows.adapters.service_record import serve_api
from flows.config.train import TrainConfig
from flows.environments import environment
from flows.outcome import Outcome, Progress
from flows.promotion.judge import Rules
from flows.steps.doors import open_doors
from flows.steps.promote import promote
from flows.steps.reconcile import apply_head
from flows.steps.table import open_data
from flows.steps.train import train
from flows.steps.verify import verify
from flows.workspace import Workspace

QUICK = Rules(over_s=1.0)
"""One machine agrees with itself sooner than a cluster."""


def demo(config: TrainConfig, workspace: Workspace, progress: Progress, ray: Path, port: int) -> Outcome:
    """Train, serve, promote, reconcile, verify, predict. Raises RolloutError when another bundle answers."""
    place = environment("local", workspace)
    trained = train(config, place, workspace, progress, ray)
    registry = registry_of(place)
    served = [sys.executable, "-m", "flows", "serve", "--workspace", str(workspace.root), "--model", config.model]
    log = Path(trained.paths["run"]) / "serve.log"
    with log.open("wb") as output:
        service = subprocess.Popen([*served, "--port", str(port)], stdout=output, stderr=output)
    try:
        with progress.stage("Starting the service"):
            api = _wait_for(workspace, service, log)
        with progress.stage("Promoting by a commit") as stage:
            promoted = promote(place, registry, config.model, None)
            stage.result(promoted.lines[0][1])
        with progress.stage("Reconciling") as stage:
            stage.result("applied" if apply_head(place, api) else "was applied already")
        verified = verify(open_doors(place, workspace), QUICK, progress)
        row = _row(config, workspace)
        body: dict[str, object] = {"data": [row]}
        if config.history.rows:
            body["history"] = [[row] * config.history.rows]  # a machine on which nothing moved
        answer = api.predict(body)
    finally:
        service.terminate()
        service.wait(timeout=60)
    if answer["model"]["digest"] != trained.digest:
        raise RolloutError(f"the service answered with {answer['model']['digest']}, not {trained.digest}")
    call = f"curl -X POST {api.url}/predict -H 'Content-Type: application/json' -d '{json.dumps(body)}'"
    lines = (*trained.lines, *promoted.lines, *verified.lines, ("Asked", call), ("Answered", json.dumps(answer)))
    return Outcome(
        lines=lines,
        next_command="serve",
        digest=trained.digest,
        version=trained.version,
        run_id=trained.run_id,
        figures={**trained.figures, "answer": answer, "replicas": verified.figures["replicas"]},
        paths={**trained.paths, "log": str(log)},
    )


def _wait_for(workspace: Workspace, service: "subprocess.Popen[bytes]", log: Path) -> ServeApi:
    end = time.monotonic() + 180
    while time.monotonic() < end:
        if service.poll() is not None:
            said = log.read_text(errors="replace").strip()[-2_000:]
            raise UnreachableError(f"the service ended with {service.returncode}: {said}")
        try:
            api = serve_api(workspace)
            api.model()
            return api
        except UnreachableError:
            time.sleep(0.5)
    raise UnreachableError(f"the service did not answer within 180 s; see {log}")


def _row(config: TrainConfig, workspace: Workspace) -> list[float]:
    """Ten counting numbers where the model has ten features, as the documented call; else a real row."""
    opened = open_data(config.data, workspace.cache)
    if len(opened.schema.features) == 10:
        return [float(number) for number in range(1, 11)]
    first = next(iter(opened.source.blocks(opened.schema.columns)))
    return [float(value) for value in type_block(first, opened.schema, Clock()).values[-1]]
