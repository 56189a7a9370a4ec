"""`vigia open`: where the page of a run is, and MLflow's own pages."""

import signal
import threading
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from types import MappingProxyType

from evaluation.pages.card.render import CARD_PAGE
from features.errors import InputError
from flows.adapters.mlflow_ui import mlflow_ui
from flows.environments import Environment
from flows.outcome import Outcome, Progress
from flows.workspace import Workspace

PAGES: Mapping[str, str] = MappingProxyType({"card": CARD_PAGE, "drift": "drift.html", "validation": "validation.html"})
LATEST = "latest"

Show = Callable[[str], None]
"""Opens a URI in a browser, or does nothing."""


def open_page(what: str, run: str, workspace: Workspace, show: Show) -> Outcome:
    """Show the page of a run of the workspace, by name or folder; ``latest``: of the newest run that has one."""
    page = find_page(what, run, workspace.root / "runs")
    show(page.as_uri())
    return Outcome(paths={what: str(page)})


def find_page(what: str, run: str, runs: Path) -> Path:
    """The page of a run. Raises InputError where there is none."""
    name = PAGES[what]
    if run == LATEST:
        found = sorted(runs.glob(f"*/{name}"))  # names of runs begin with the time
        if not found:
            raise InputError("--run", f"no run in {runs} has a {name}; run `vigia train` first")
        return found[-1]
    for folder in (runs / run, Path(run)):
        if (folder / name).is_file():
            return (folder / name).absolute()
    rule = f"must be latest, or a run in {runs} or a folder that holds a {name}"
    raise InputError("--run", rule, run)


def open_mlflow(environment: Environment, workspace: Workspace, progress: Progress, show: Show) -> Outcome:
    """Show MLflow's pages of an environment's registry; a process of our own lives until SIGINT or SIGTERM."""
    with ExitStack() as running:
        with progress.stage("Starting MLflow's pages") as stage:
            url = running.enter_context(mlflow_ui(environment.registry, workspace.scratch))
            stage.result(url)
        show(url)
        if url != environment.registry:
            stop = threading.Event()
            for number in (signal.SIGINT, signal.SIGTERM):
                signal.signal(number, lambda *_: stop.set())
            progress.say("They are there until Ctrl-C")
            stop.wait()
    return Outcome(lines=(("MLflow", url),))
