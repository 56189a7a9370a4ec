"""`vigia demo`: the whole loop on this machine, and what becomes of a promotion that should not be."""

import json
from dataclasses import dataclass
from pathlib import Path

from features.errors import RefusedError, RolloutError
from features.typed import Clock, type_block
from flows.config.train import TrainConfig
from flows.environments import environment
from flows.outcome import Outcome, Progress
from flows.promotion.judge import Rules
from flows.steps.doors import Doors, open_doors
from flows.steps.history import history
from flows.steps.own_service import own_service
from flows.steps.promote import promote
from flows.steps.props import LEAVE, damaged, register_twin, without_last_feature
from flows.steps.reconcile import reconcile
from flows.steps.rollback import rollback
from flows.steps.status import status
from flows.steps.table import Opened, open_data
from flows.steps.train import train
from flows.workspace import Workspace

QUICK = Rules(over_s=1.0)
"""One machine agrees with itself sooner than a cluster."""


@dataclass(frozen=True)
class _Scene:
    """What every act needs; trained: the outcome of the training that it began with."""

    config: TrainConfig
    workspace: Workspace
    doors: Doors
    progress: Progress
    trained: Outcome


def demo(config: TrainConfig, workspace: Workspace, progress: Progress, ray: Path, port: int) -> Outcome:
    """Train, promote, verify, predict; then a challenger that is refused, a bundle that is reverted, and a rollback.

    Raises RolloutError when any of these ends otherwise.
    """
    place, opened = environment("local", workspace), open_data(config.data, workspace.cache)
    progress.say("1. Train a challenger")
    trained = train(config, place, workspace, progress, ray)
    _tell(progress, trained)
    log = Path(trained.paths["run"]) / "serve.log"
    progress.say("\n2. Promote it through git; verify what every replica serves; ask it")
    with own_service(workspace, config.model, port, log) as api:
        scene = _Scene(config, workspace, open_doors(place, workspace), progress, trained)
        verified = _roll_out(scene, trained.version)
        body = _request(config, opened)
        answer = api.predict(body)
        if answer["model"]["digest"] != trained.digest:
            raise RolloutError(f"the service answered with {answer['model']['digest']}, not {trained.digest}")
        progress.say("\n3. Train a challenger that asks for other requests: the gate refuses it")
        refused = _refused(scene, opened, ray)
        progress.say("\n4. Promote a bundle that breaks in the store: replicas prove it bad, it is reverted")
        reverted = _reverted(scene)
        progress.say("\n5. Promote another version, and roll it back")
        back = _rolled_back(scene)
        now = status(place, lambda: scene.doors.registry, lambda: api)
    progress.say("\n6. What everybody says now, and what git remembers")
    call = f"curl -X POST {api.url}/predict -H 'Content-Type: application/json' -d '{json.dumps(body)}'"
    story = {"refused": refused, "reverted": reverted, "rolled_back_to": back.digest, "status": int(now.exit_code)}
    return Outcome(
        lines=(*now.lines, *history(place, 10).lines, ("Asked", call), ("Answered", json.dumps(answer))),
        next_command="serve",
        digest=trained.digest,
        version=trained.version,
        run_id=trained.run_id,
        figures={**trained.figures, "answer": answer, "replicas": verified.figures["replicas"], "story": story},
        paths={**trained.paths, "log": str(log)},
    )


def _roll_out(scene: _Scene, version: str) -> Outcome:
    """`vigia promote`, `vigia reconcile`."""
    _promote(scene, version)
    done = reconcile(scene.doors, QUICK, scene.progress)
    _tell(scene.progress, done)
    return done


def _promote(scene: _Scene, version: str) -> None:
    with scene.progress.stage("Promoting by a commit") as stage:
        done = promote(scene.doors.environment, scene.doors.registry, scene.config.model, version, LEAVE)
        stage.result(done.lines[0][1])


def _refused(scene: _Scene, opened: Opened, ray: Path) -> str:
    """The gate's reasons against a challenger without the last feature."""
    config = without_last_feature(scene.config, opened.schema.features)
    try:
        train(config, scene.doors.environment, scene.workspace, scene.progress, ray)
    except RefusedError as error:
        scene.progress.say(f"Refused, exit code 3: {error}")
        return str(error)
    raise RolloutError("the gate let a challenger pass that asks for other requests than the champion")


def _reverted(scene: _Scene) -> str:
    """How it ends when the store breaks a bundle between its promotion and its first load."""
    version = register_twin(scene.doors.environment, scene.doors.registry, scene.config.model, scene.trained.version, 1)
    _promote(scene, version.version)
    with damaged(version) as file:
        scene.progress.say(f"{file} is cut in half")
        try:
            reconcile(scene.doors, QUICK, scene.progress)
        except RolloutError as error:
            scene.progress.say(f"Reverted, exit code 5: {error}")
            return str(error)
    raise RolloutError(f"version {version.version} is broken, and was not reverted")


def _rolled_back(scene: _Scene) -> Outcome:
    """A version that serves well and that somebody does not want."""
    doors, progress = scene.doors, scene.progress
    version = register_twin(doors.environment, doors.registry, scene.config.model, scene.trained.version, 2)
    _roll_out(scene, version.version)
    done = rollback(
        doors.environment, doors.registry, lambda: doors, QUICK, progress, "", 1, "the demonstration goes back"
    )
    _tell(progress, done)
    if done.digest != scene.trained.digest:
        raise RolloutError(f"the rollback led to {done.digest}, not to {scene.trained.digest}")
    return done


def _tell(progress: Progress, done: Outcome) -> None:
    for heading, text in done.lines:
        progress.say(f"  {heading:<11}{text}")


def _request(config: TrainConfig, opened: Opened) -> dict[str, object]:
    """Ten counting numbers where the model has ten features, as the documented call; else a real row."""
    if len(opened.schema.features) == 10:
        row = [float(number) for number in range(1, 11)]
    else:
        first = next(iter(opened.source.blocks(opened.schema.columns)))
        row = [float(value) for value in type_block(first, opened.schema, Clock()).values[-1]]
    past = config.history.rows  # a machine on which nothing moved
    return {"data": [row], "history": [[row] * past]} if past else {"data": [row]}
