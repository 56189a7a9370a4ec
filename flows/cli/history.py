"""Arguments of `vigia history`."""

import argparse
from pathlib import Path

from flows.cli.environment import add_environment, chosen
from flows.outcome import Outcome, Progress
from flows.workspace import Workspace


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The environment, and how much of it."""
    add_environment(parser)
    parser.add_argument("--limit", type=int, default=20, help="how many, the newest first (20)")


def run(arguments: argparse.Namespace, workspace: Workspace, progress: Progress, ray: Path) -> Outcome:
    """Wire the environment to the step."""
    from flows.steps.history import history

    return history(chosen(arguments, workspace, git=True), arguments.limit)
