"""Arguments of `vigia baselines`."""

import argparse
from pathlib import Path

from flows.cli.bundle import add_bundle, asked_bundle
from flows.cli.configuration import add_settings, configured_for
from flows.cli.environment import add_environment, chosen
from flows.config.loading import load_config
from flows.config.train import TrainConfig
from flows.outcome import Outcome, Progress
from flows.promotion.admission import CHALLENGER
from flows.workspace import Workspace


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """refresh, the table, the version, the environment, and the arguments of train for the roles of columns."""
    parser.add_argument("what", choices=("refresh",), help="a new bundle: the same model, baselines of newer rows")
    parser.add_argument("uri", nargs="?", metavar="URI", help="table with the rows (default: data.uri)")
    add_bundle(parser, "the challenger")
    add_environment(parser)
    add_settings(parser)


def run(arguments: argparse.Namespace, workspace: Workspace, progress: Progress, ray: Path) -> Outcome:
    """Find the version, load the configuration, refresh."""
    stated = load_config(TrainConfig, arguments.config, arguments.set)
    place = chosen(arguments, workspace)
    from flows.adapters.registry import registry_of
    from flows.bundles import load_version
    from flows.steps.baselines import refresh
    from flows.steps.bundles import find_version

    found = find_version(asked_bundle(arguments, stated, (CHALLENGER,)), place)
    features = load_version(found, place).manifest.features
    config = configured_for(features, arguments.uri, arguments, progress, asked=())
    return refresh(config, registry_of(place), found, place, workspace, progress)
