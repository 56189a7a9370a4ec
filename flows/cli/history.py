"""Arguments of `vigia history`."""

import argparse
from pathlib import Path

from flows.outcome import Outcome, Progress
from flows.workspace import Workspace


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The environment, and how much of it."""
    parser.add_argument("--env", default="local", help="environment (local)")
    parser.add_argument("--limit", type=int, default=20, help="how many, the newest first (20)")


def run(arguments: argparse.Namespace, workspace: Workspace, progress: Progress, ray: Path) -> Outcome:
    """Wire the environment to the step."""
    from flows.environments import environment
    from flows.steps.history import history

    return history(environment(arguments.env, workspace), arguments.limit)
