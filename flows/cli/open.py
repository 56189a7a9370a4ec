"""Arguments of `vigia open`."""

import argparse
import os
import sys
import webbrowser
from pathlib import Path

from flows.cli.environment import add_environment, chosen
from flows.outcome import Outcome, Progress
from flows.workspace import Workspace


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which page, and of which run."""
    parser.add_argument("what", choices=("card", "drift", "validation", "mlflow"), help="page to look at")
    parser.add_argument(
        "--run", default="latest", metavar="RUN", help="its name or folder (latest: the newest with one)"
    )
    parser.add_argument("--print", action="store_true", help="only say where it is")
    add_environment(parser)


def run(arguments: argparse.Namespace, workspace: Workspace, progress: Progress, ray: Path) -> Outcome:
    """Open the page in the browser of this desktop; without one, say where it is."""
    from flows.steps.open import open_mlflow, open_page

    def show(uri: str) -> None:
        if not arguments.print and _has_desktop():
            webbrowser.open(uri)

    if arguments.what == "mlflow":
        return open_mlflow(chosen(arguments, workspace), workspace, progress, show)
    return open_page(arguments.what, arguments.run, workspace, show)


def _has_desktop() -> bool:
    """Whether a browser has a window to open in: text browsers would take over the terminal."""
    if sys.platform in ("darwin", "win32"):
        return True
    return any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER"))
