"""Arguments of `vigia baselines`."""

import argparse
from pathlib import Path

from features.errors import InputError
from flows.cli.configuration import add_settings
from flows.cli.environment import add_environment, chosen
from flows.config.loading import load_config
from flows.config.train import TrainConfig
from flows.outcome import Outcome, Progress
from flows.workspace import Workspace


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """refresh, the table, the version, the environment, and the arguments of train for the roles of columns."""
    parser.add_argument("what", choices=("refresh",), help="a new bundle: the same model, baselines of newer rows")
    parser.add_argument("uri", nargs="?", metavar="URI", help="table with the rows (default: data.uri)")
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--version", help="model version to start from")
    which.add_argument("--alias", default="challenger", help="model version by alias (challenger)")
    parser.add_argument("--model", help="registered model (default: the configured one)")
    add_environment(parser)
    add_settings(parser)


def run(arguments: argparse.Namespace, workspace: Workspace, progress: Progress, ray: Path) -> Outcome:
    """Load the configuration, find the version, refresh."""
    config = load_config(TrainConfig, arguments.config, arguments.set, arguments.uri)
    place = chosen(arguments, workspace)
    from flows.adapters.registry import registry_of
    from flows.steps.baselines import refresh

    registry, model = registry_of(place), arguments.model or config.model
    asked = arguments.version
    found = registry.by_version(model, asked) if asked else registry.by_alias(model, arguments.alias)
    if found is None:
        raise InputError("--alias", f"must point at a version of {model!r}; run `vigia train` first", arguments.alias)
    return refresh(config, registry, found, place, workspace, progress)
