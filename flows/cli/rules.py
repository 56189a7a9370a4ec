"""Arguments of every command that verifies."""

import argparse

from flows.cli.environment import add_environment
from flows.environments import Environment
from flows.promotion.judge import Rules

_ARGO_S = 600.0
"""Argo CD asks git every three minutes unless something tells it; then replicas load."""


def add_rules(parser: argparse.ArgumentParser) -> None:
    """The environment, and how much agreement is proof."""
    rules = Rules()
    add_environment(parser)
    waits = f"{rules.timeout_s:g}, where Argo CD rolls out {_ARGO_S:g}"
    parser.add_argument(
        "--timeout", type=float, metavar="SECONDS", help=f"how long to wait for every replica ({waits})"
    )
    parser.add_argument("--rounds", type=int, default=rules.rounds, metavar="N",
                        help=f"looks in a row at which all must agree ({rules.rounds})")  # fmt: skip
    parser.add_argument("--over", type=float, default=rules.over_s, metavar="SECONDS",
                        help=f"time that these looks must span ({rules.over_s:g})")  # fmt: skip


def rules_of(arguments: argparse.Namespace, place: Environment) -> Rules:
    """The rules that were asked for. Raises InputError for some that could not be met."""
    usual = _ARGO_S if place.controller == "argocd" else Rules().timeout_s
    return Rules(arguments.rounds, arguments.over, usual if arguments.timeout is None else arguments.timeout)
