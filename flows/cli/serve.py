"""Arguments of `vigia serve`."""

import argparse
from pathlib import Path

from flows.outcome import Outcome, Progress
from flows.workspace import Workspace


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The environment, the model while nothing is promoted, and the port."""
    parser.add_argument("--env", default="local", help="environment (local)")
    parser.add_argument("--model", default="anomaly-detector", help="registered model")
    parser.add_argument("--port", type=int, default=8000, help="where to serve (8000)")


def run(arguments: argparse.Namespace, workspace: Workspace, progress: Progress, ray: Path) -> Outcome:
    """Wire the doors to the step."""
    from flows.environments import environment
    from flows.steps.serve import run_service

    place = environment(arguments.env, workspace)
    return run_service(place, workspace, arguments.model, arguments.port, progress, ray)
