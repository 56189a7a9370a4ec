"""Arguments of `vigia publish`."""

import argparse
from pathlib import Path

from flows.outcome import Outcome, Progress
from flows.workspace import Workspace


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The bundle, and between which environments' stores."""
    parser.add_argument("digest", metavar="DIGEST", help="of the bundle, 64 hexadecimal digits")
    parser.add_argument("--to", required=True, metavar="ENV", help="environment that is to read it")
    parser.add_argument("--from", dest="source", default="local", metavar="ENV", help="environment that has it (local)")


def run(arguments: argparse.Namespace, workspace: Workspace, progress: Progress, ray: Path) -> Outcome:
    """Wire the environments to the step."""
    from flows.environments import environment
    from flows.steps.publish import publish

    with progress.stage(f"Publishing to {arguments.to}"):
        source, target = (environment(name, workspace) for name in (arguments.source, arguments.to))
        return publish(source, target, arguments.digest)
