"""Arguments of `vigia train`."""

import argparse
from pathlib import Path

from flows.cli.configuration import add_table, configured
from flows.outcome import Outcome, Progress
from flows.workspace import Workspace


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """A table, --config and --set."""
    add_table(parser)


def run(arguments: argparse.Namespace, workspace: Workspace, progress: Progress, ray: Path) -> Outcome:
    """Settle the configuration before anything heavy is imported, then train."""
    config = configured(arguments, progress)
    from flows.steps.train import train

    return train(config, workspace, progress, ray)
