"""Arguments of `vigia demo`."""

import argparse
from pathlib import Path

from flows.cli.configuration import add_settings
from flows.config.loading import load_config
from flows.config.train import TrainConfig
from flows.outcome import Outcome, Progress
from flows.workspace import Workspace

_REAL = Path("configs/skab.yaml")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Those of train, and a port."""
    add_settings(parser)
    parser.add_argument("--port", type=int, default=8000, help="where to serve (8000)")


def run(arguments: argparse.Namespace, workspace: Workspace, progress: Progress, ray: Path) -> Outcome:
    """The configured data; without a configuration the real data set where it lies, else the simulated fleet."""
    config = load_config(TrainConfig, arguments.config, arguments.set)
    if arguments.config is None and not arguments.set and _REAL.exists():
        real = load_config(TrainConfig, _REAL)
        if Path(real.data.uri).exists():
            config = real
        else:
            progress.say(f"{real.data.uri} is not there ({_REAL} says where to get it): using the simulated fleet")
    from flows.steps.demo import demo

    return demo(config, workspace, progress, ray, arguments.port)
