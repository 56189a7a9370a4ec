"""Arguments of `vigia hold`."""

import argparse
from pathlib import Path

from flows.cli.environment import add_environment, chosen
from flows.outcome import Outcome, Progress
from flows.workspace import Workspace


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The environment, and why."""
    parser.add_argument("place", nargs="?", default="local", metavar="ENV", help="environment, as with --env")
    add_environment(parser)
    parser.add_argument("--release", action="store_true", help="end the hold")
    parser.add_argument("--reason", default="", help="why; written into the commit, and needed for a hold")


def run(arguments: argparse.Namespace, workspace: Workspace, progress: Progress, ray: Path) -> Outcome:
    """Wire the environment to the step."""
    from flows.steps.hold import hold, release

    step = release if arguments.release else hold
    return step(chosen(arguments, workspace, arguments.place, git=True), arguments.reason)
