"""Arguments of every command that verifies."""

import argparse

from flows.cli.environment import add_environment
from flows.promotion.judge import Rules


def add_rules(parser: argparse.ArgumentParser) -> None:
    """The environment, and how much agreement is proof."""
    rules = Rules()
    add_environment(parser)
    parser.add_argument("--timeout", type=float, default=rules.timeout_s, metavar="SECONDS",
                        help=f"how long to wait for every replica ({rules.timeout_s:g})")  # fmt: skip
    parser.add_argument("--rounds", type=int, default=rules.rounds, metavar="N",
                        help=f"looks in a row at which all must agree ({rules.rounds})")  # fmt: skip
    parser.add_argument("--over", type=float, default=rules.over_s, metavar="SECONDS",
                        help=f"time that these looks must span ({rules.over_s:g})")  # fmt: skip


def rules_of(arguments: argparse.Namespace) -> Rules:
    """The rules that were asked for. Raises InputError for some that could not be met."""
    return Rules(arguments.rounds, arguments.over, arguments.timeout)
