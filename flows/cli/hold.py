"""Arguments of `vigia hold`."""

import argparse
from pathlib import Path

from flows.outcome import Outcome, Progress
from flows.workspace import Workspace


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The environment, and why."""
    parser.add_argument("env", metavar="ENV", help="environment")
    parser.add_argument("--release", action="store_true", help="end the hold")
    parser.add_argument("--reason", default="", help="why; written into the commit, and needed for a hold")


def run(arguments: argparse.Namespace, workspace: Workspace, progress: Progress, ray: Path) -> Outcome:
    """Wire the environment to the step."""
    from flows.environments import environment
    from flows.steps.hold import hold, release

    step = release if arguments.release else hold
    return step(environment(arguments.env, workspace), arguments.reason)
