"""`vigia serve`: the RayService's application on this machine until it is told to stop."""

import signal
import threading
from pathlib import Path

from features.errors import InputError
from flows.adapters.git import read_head
from flows.adapters.local_service import service
from flows.adapters.registry import registry_of
from flows.adapters.serve_api import ServeApi
from flows.environments import Environment
from flows.outcome import Outcome, Progress
from flows.promotion.admission import CHALLENGER
from flows.promotion.edit import Target, promote_text, read_leaves, serve_config
from flows.steps.head import coordinates
from flows.steps.usual_model import usual_model
from flows.workspace import Workspace


def run_service(
    environment: Environment, workspace: Workspace, model: str | None, port: int, progress: Progress, folder: Path
) -> Outcome:
    """Serve what git's head names, or, with nothing promoted yet, the challenger. Returns after SIGINT or SIGTERM."""
    text, what = _wanted(environment, model)
    stop = threading.Event()
    with service(workspace, folder, port) as record:
        for number in (signal.SIGINT, signal.SIGTERM):  # after Ray, which installs handlers of its own
            signal.signal(number, lambda *_: stop.set())
        with progress.stage("Deploying"):
            api = ServeApi(record.dashboard, workspace.token.read_text().strip(), record.url)
            api.put(serve_config(text, Target(environment.file)))
            api.wait_until_running()
        progress.say(f"Serving {what} at {record.url} until Ctrl-C")
        stop.wait()
    return Outcome(lines=(("Stopped", record.url),))


def _wanted(environment: Environment, model: str | None) -> tuple[str, str]:
    commit, text = read_head(environment.repository, environment.branch, environment.file)
    target = Target(environment.file)
    leaves = read_leaves(text, target)
    if leaves.get(("bundle", "digest")):
        return text, f"version {leaves[('bundle', 'version')]} (git {commit[:12]})"
    registry = registry_of(environment)
    model = model or usual_model(registry)
    challenger = registry.by_alias(model, CHALLENGER)
    if challenger is None:
        raise InputError("model", "nothing is promoted and there is no challenger; run `vigia train` first", model)
    unpromoted = promote_text(text, coordinates(challenger), target).text
    return unpromoted, f"the challenger, version {challenger.version} (nothing is promoted yet)"
