"""Arguments of `vigia play`."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from flows.cli.configuration import add_settings
from flows.config.loading import load_config
from flows.config.train import TrainConfig
from flows.outcome import Outcome, Progress
from flows.workspace import Workspace


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Those of train, a port, and whether anybody is there."""
    add_settings(parser)
    parser.add_argument("--port", type=int, default=8000, help="where to serve (8000)")
    parser.add_argument("--no-input", action="store_true", help="ask nothing: take the first of every choice")
    parser.add_argument("--pace", type=float, default=0.4, metavar="SECONDS", help="between two rows (0.4)")


def run(arguments: argparse.Namespace, workspace: Workspace, progress: Progress, ray: Path) -> Outcome:
    """Ask on a terminal; without one, take the first of every choice."""
    from flows.steps.play import Game, play

    config = load_config(TrainConfig, arguments.config, arguments.set)
    asks = sys.stdin.isatty() and not arguments.no_input
    return play(Game(config, workspace, progress, ray, _asked if asks else _first, arguments.pace), arguments.port)


def _first(question: str, answers: Sequence[str]) -> str:
    return answers[0]


def _asked(question: str, answers: Sequence[str]) -> str:
    """The answer by number; an empty line is the first."""
    print(f"\n{question}")
    for number, answer in enumerate(answers, 1):
        print(f"  {number}  {answer}")
    while True:
        said = input(f"1 to {len(answers)} [1]: ").strip() or "1"
        if said.isdigit() and 1 <= int(said) <= len(answers):
            return answers[int(said) - 1]
