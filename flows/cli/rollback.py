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
    add_rules(parser)


def run(arguments: argparse.Namespace, workspace: Workspace, progress: Progress, ray: Path) -> Outcome:
    """Wire the doors to the step."""
    from flows.adapters.registry import registry_of
    from flows.steps.doors import open_doors
    from flows.steps.rollback import rollback

    place, rules = chosen(arguments, workspace, git=True), rules_of(arguments)

    return rollback(
        place,
        registry_of(place),
        lambda: open_doors(place, workspace),
        rules,
        progress,
        arguments.to,
        arguments.steps,
        arguments.reason,
    )
