"""Arguments of `vigia validate`."""

import argparse
from pathlib import Path

from flows.cli import train
from flows.config.loading import load_config
from flows.config.train import TrainConfig
from flows.outcome import Outcome, Progress
from flows.workspace import Workspace


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Those of train."""
    train.add_arguments(parser)


def run(arguments: argparse.Namespace, workspace: Workspace, progress: Progress, ray: Path) -> Outcome:
    """Load the configuration before anything heavy is imported, then validate."""
    config = load_config(TrainConfig, arguments.config, arguments.set)
    from flows.steps.validate import validate_table

    return validate_table(config, workspace, progress)
