"""Arguments of `vigia serve`."""

import argparse
from pathlib import Path

from flows.cli.bundle import add_model
from flows.cli.environment import add_environment, chosen
from flows.outcome import Outcome, Progress
from flows.workspace import Workspace


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The environment, the model while nothing is promoted, and the port."""
    add_environment(parser)
    add_model(parser)
    parser.add_argument("--port", type=int, default=8000, help="where to serve (8000)")


def run(arguments: argparse.Namespace, workspace: Workspace, progress: Progress, ray: Path) -> Outcome:
    """Wire the doors to the step."""
    place = chosen(arguments, workspace, git=True)
    from flows.steps.serve import run_service

    return run_service(place, workspace, arguments.model, arguments.port, progress, ray)
