"""`vigia play`: a machine is given a fault, alerts come with reasons, a new model is promoted while rows come in."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from features.errors import RefusedError
from flows.adapters.registry import registry_of
from flows.config.train import TrainConfig
from flows.environments import Environment, environment
from flows.outcome import Outcome, Progress
from flows.promotion.admission import CHALLENGER
from flows.steps.asking import Traffic, ask, traffic
from flows.steps.demo import QUICK
from flows.steps.doors import Doors, open_doors
from flows.steps.failing_machine import FAULTS, Machine, failing, machines
from flows.steps.own_service import own_service
from flows.steps.promote import promote
from flows.steps.reconcile import reconcile
from flows.steps.table import read_checked
from flows.steps.train import train
from flows.workspace import Workspace

_HEALTHY, _FAILING, _CHOICES = 6, 14, 3
_BAR = 20

Choose = Callable[[str, Sequence[str]], str]
"""(question, answers) -> one of them."""


@dataclass(frozen=True)
class Game:
    """config, ray: to train with; choose: asks the person; pace_s: between two rows."""

    config: TrainConfig
    workspace: Workspace
    progress: Progress
    ray: Path
    choose: Choose
    pace_s: float


def play(game: Game, port: int) -> Outcome:
    """Serve the challenger, or a new model where there is none; break a machine; train anew and promote it live."""
    place, config = environment("local", game.workspace), game.config
    if registry_of(place).by_alias(config.model, CHALLENGER) is None:
        game.progress.say("There is no model yet: training one")
        train(config, place, game.workspace, game.progress, game.ray)
    folder = game.workspace.new_run("play")
    with game.progress.stage("Reading rows of the machines"):
        rows = read_checked(config, folder, game.workspace.cache).rows
    past = config.history.rows
    known = machines(rows, _CHOICES, past + _HEALTHY + _FAILING)
    with own_service(game.workspace, config.model, port, folder / "serve.log"):
        doors = open_doors(place, game.workspace)
        first = _promoted(game, doors)
        name = game.choose("Which machine shall fail?", [machine.series for machine in known])
        machine = next(machine for machine in known if machine.series == name)
        fault = game.choose("Of what?", list(FAULTS))
        values = failing(machine, rows, fault, past + _HEALTHY, config.seed)
        before, after = _stream(game, doors, machine, values, past)
        second, seen = first, Traffic()
        if game.choose("Train a new model and promote it while rows come in?", ("yes", "no")) == "yes":
            with traffic(doors.api, machine, past) as seen:
                second = _renewed(game, place, doors) or first
    answered = ", then ".join(f"{count:,} by version {version}" for version, count in seen.answered.items())
    lines = (
        ("Machine", f"{machine.series}, {fault}; SIMULATED by changing its rows"),
        ("Alerts", f"{before} of {_HEALTHY} rows before, {after} of {_FAILING} while the fault grew"),
        ("Meanwhile", f"{answered or 'nothing'} answered, {seen.failed} failed"),
        ("Champion", f"version {second.version}"),
    )
    figures = {"alerts": [before, after], "answered": dict(seen.answered), "failed": seen.failed}
    return Outcome(lines, "serve", second.digest, second.version, second.run_id, figures, {"log": str(folder)})


def _promoted(game: Game, doors: Doors) -> Outcome:
    """The challenger, promoted and verified."""
    with game.progress.stage("Promoting the challenger") as stage:
        stage.result(promote(doors.environment, doors.registry, game.config.model, None).lines[0][1])
    return reconcile(doors, QUICK, game.progress)


def _stream(game: Game, doors: Doors, machine: Machine, values: NDArray[np.float64], past: int) -> tuple[int, int]:
    """Ask about row after row; alerts before and after the fault begins."""
    counts = [0, 0]
    for place in range(past, past + _HEALTHY + _FAILING):
        if place == past + _HEALTHY:
            game.progress.say("  ── the fault begins ──")
        heard = ask(doors.api, machine, values, place, past)
        counts[place >= past + _HEALTHY] += heard.alert
        bar = "█" * min(_BAR, round(heard.severity * _BAR / 2))
        said = f"ALERT  {heard.reasons}" if heard.alert else ""
        game.progress.say(f"  row {place - past + 1:>2}  {bar:<{_BAR}} {heard.severity:5.2f}  {said}".rstrip())
        time.sleep(game.pace_s)
    return counts[0], counts[1]


def _renewed(game: Game, place: Environment, doors: Doors) -> Outcome | None:
    """Another training with another seed, promoted and verified; None where the gate refuses it."""
    config = game.config.model_copy(update={"seed": game.config.seed + 1})
    try:
        train(config, place, game.workspace, game.progress, game.ray)
    except RefusedError as error:
        game.progress.say(f"The gate refuses it, so the champion stays: {error}")
        return None
    return _promoted(game, doors)
