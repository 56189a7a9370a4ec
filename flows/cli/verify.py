"""Arguments of `vigia verify`."""

import argparse
from pathlib import Path

from flows.cli.environment import chosen
from flows.cli.rules import add_rules, rules_of
from flows.outcome import Outcome, Progress
from flows.workspace import Workspace


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The environment, how much agreement is proof, and the version that is meant."""
    add_rules(parser)
    parser.add_argument("--version", default="", help="fail with 5 when git names another version by now")


def run(arguments: argparse.Namespace, workspace: Workspace, progress: Progress, ray: Path) -> Outcome:
    """Wire the doors to the step."""
    from flows.cli.cluster import doors_of
    from flows.steps.verify import verify

    place = chosen(arguments, workspace, git=True)
    rules = rules_of(arguments, place)
    return verify(doors_of(place, workspace), rules, progress, arguments.version)
