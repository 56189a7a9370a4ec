"""Arguments of `vigia config`: the configuration as it would be used, or its JSON Schema."""

import argparse
import json
from pathlib import Path

import yaml

from flows.cli import train
from flows.config.loading import load_config
from flows.config.train import TrainConfig
from flows.outcome import Outcome, Progress
from flows.workspace import Workspace


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """show|schema, and the arguments of train."""
    parser.add_argument("what", choices=("show", "schema"), help="show: all values; schema: JSON Schema")
    train.add_arguments(parser)


def run(arguments: argparse.Namespace, workspace: Workspace, progress: Progress, ray: Path) -> Outcome:
    """Print YAML or JSON that can be read back."""
    config = load_config(TrainConfig, arguments.config, arguments.set)
    if arguments.what == "schema":
        progress.say(json.dumps(TrainConfig.model_json_schema(), indent=2))
    else:
        progress.say(yaml.safe_dump(config.model_dump(mode="json"), sort_keys=False).rstrip())
    return Outcome()
