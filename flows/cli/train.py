"""Arguments of `vigia train`."""

import argparse
from pathlib import Path

from flows.config.loading import load_config
from flows.config.train import TrainConfig
from flows.outcome import Outcome, Progress
from flows.workspace import Workspace


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """--config and --set."""
    parser.add_argument("--config", type=Path, help="YAML file (default: the simulated fleet)")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="e.g. data.uri=my.parquet")


def run(arguments: argparse.Namespace, workspace: Workspace, progress: Progress, ray: Path) -> Outcome:
    """Load the configuration before anything heavy is imported, then train."""
    config = load_config(TrainConfig, arguments.config, arguments.set)
    from flows.steps.train import train

    return train(config, workspace, progress, ray)
