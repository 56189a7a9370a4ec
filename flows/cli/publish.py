"""Arguments of `vigia publish`."""

import argparse
from pathlib import Path

from flows.cli.environment import add_environment, chosen
from flows.outcome import Outcome, Progress
from flows.workspace import Workspace


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The bundle, and between which environments' stores."""
    parser.add_argument("digest", metavar="DIGEST", help="of the bundle, 64 hexadecimal digits")
    parser.add_argument("--to", required=True, metavar="ENV", help="environment that is to read it")
    add_environment(parser)


def run(arguments: argparse.Namespace, workspace: Workspace, progress: Progress, ray: Path) -> Outcome:
    """Wire the environments, the one that has it (--env) and the one that is to read it, to the step."""
    from flows.environments import find_environment
    from flows.steps.publish import publish

    with progress.stage(f"Publishing to {arguments.to}"):
        target = find_environment(arguments.to, workspace, arguments.environments)
        return publish(chosen(arguments, workspace), target, arguments.digest)
