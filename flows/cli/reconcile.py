"""Arguments of `vigia reconcile`."""

import argparse
from pathlib import Path

from flows.cli.environment import chosen
from flows.cli.rules import add_rules, rules_of
from flows.outcome import Outcome, Progress
from flows.workspace import Workspace


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The environment, how much agreement is proof, and whether to go on."""
    add_rules(parser)
    parser.add_argument("--watch", action="store_true", help="go on until Ctrl-C, whenever git's head moves")


def run(arguments: argparse.Namespace, workspace: Workspace, progress: Progress, ray: Path) -> Outcome:
    """Wire the doors to the step."""
    from flows.cli.forge import pull_requests
    from flows.steps.doors import open_doors
    from flows.steps.reconcile import reconcile, watch

    place = chosen(arguments, workspace, git=True)
    rules = rules_of(arguments, place)
    doors = open_doors(place, workspace, lambda: pull_requests(place))
    return watch(doors, rules, progress, lambda: True) if arguments.watch else reconcile(doors, rules, progress)
