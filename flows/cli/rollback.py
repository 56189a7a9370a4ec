"""Arguments of `vigia rollback`."""

import argparse
from pathlib import Path

from flows.cli.environment import chosen
from flows.cli.rules import add_rules, rules_of
from flows.outcome import Outcome, Progress
from flows.workspace import Workspace


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The environment, how far back, why, and how much agreement is proof."""
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--to", default="", metavar="VERSION", help="a version that was promoted here before")
    which.add_argument("--steps", type=int, default=1, metavar="N", help="so many promotions back (1)")
    parser.add_argument("--reason", required=True, help="why; written into the commit and on the version that is left")
    told = "propose it instead, where the branch takes no push; nothing is verified then"
    parser.add_argument("--pull-request", action="store_true", help=told)
    add_rules(parser)


def run(arguments: argparse.Namespace, workspace: Workspace, progress: Progress, ray: Path) -> Outcome:
    """Wire the doors to the step."""
    from flows.adapters.registry import registry_of
    from flows.cli.cluster import doors_of
    from flows.cli.forge import pull_requests
    from flows.steps.rollback import propose_rollback, rollback

    place = chosen(arguments, workspace, git=True)
    rules = rules_of(arguments, place)
    registry, asked = registry_of(place), (arguments.to, arguments.steps, arguments.reason)
    if arguments.pull_request:
        with pull_requests(place) as forge:
            return propose_rollback(place, registry, forge, *asked)
    return rollback(place, registry, lambda: doors_of(place, workspace), rules, progress, *asked)
