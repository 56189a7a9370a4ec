"""Arguments of `vigia demo`."""

import argparse
from pathlib import Path

from flows.cli import train
from flows.config.loading import load_config
from flows.config.train import TrainConfig
from flows.outcome import Outcome, Progress
from flows.workspace import Workspace


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Those of train, and a port."""
    train.add_arguments(parser)
    parser.add_argument("--port", type=int, default=8000, help="where to serve (8000)")


def run(arguments: argparse.Namespace, workspace: Workspace, progress: Progress, ray: Path) -> Outcome:
    """The configured data, or the simulated fleet."""
    config = load_config(TrainConfig, arguments.config, arguments.set)
    from flows.steps.demo import demo

    return demo(config, workspace, progress, ray, arguments.port)
