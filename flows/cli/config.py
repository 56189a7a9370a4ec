"""Arguments of `vigia config`: the configuration as it would be used, its JSON Schema, or a new one for a table."""

import argparse
import json
from pathlib import Path

import yaml

from features.errors import InputError
from flows.cli.configuration import add_table
from flows.config.loading import load_config
from flows.config.train import TrainConfig
from flows.outcome import Outcome, Progress
from flows.workspace import Workspace


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """show|schema|init, the arguments of train, and where init writes."""
    what = "show: all values; schema: JSON Schema; init: write a commented configuration for the table URI"
    parser.add_argument("what", choices=("show", "schema", "init"), help=what)
    add_table(parser)
    parser.add_argument("--out", type=Path, metavar="FILE.yaml", help="init: file to write (default: the table's name)")
    parser.add_argument("--force", action="store_true", help="init: replace an existing file")


def run(arguments: argparse.Namespace, workspace: Workspace, progress: Progress, ray: Path) -> Outcome:
    """Print YAML or JSON that can be read back, or write a file."""
    if arguments.what == "init":
        return _init(arguments, progress)
    if arguments.out or arguments.force:
        raise InputError("config", "--out and --force belong to init", arguments.what)
    if arguments.what == "schema":
        progress.say(json.dumps(TrainConfig.model_json_schema(), indent=2))
        return Outcome()
    if arguments.uri and arguments.config is None:
        from flows.steps.configure import configure

        config = configure(arguments.uri, arguments.set).config
    else:
        config = load_config(TrainConfig, arguments.config, arguments.set, arguments.uri)
    progress.say(yaml.safe_dump(config.model_dump(mode="json"), sort_keys=False).rstrip())
    return Outcome()


def _init(arguments: argparse.Namespace, progress: Progress) -> Outcome:
    if not arguments.uri:
        raise InputError("config init", "needs a table: vigia config init my.csv")
    if arguments.config:
        raise InputError("--config", "init writes a new configuration; it reads none", str(arguments.config))
    from flows.steps.configure import told, write_configuration

    with progress.stage("Guessing the roles of the columns"):
        done, outcome = write_configuration(arguments.uri, arguments.set, arguments.out, arguments.force)
    for line in told(done):
        progress.say(line)
    return outcome
