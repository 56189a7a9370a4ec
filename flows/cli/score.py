"""Arguments of `vigia score`."""

import argparse
from pathlib import Path

from flows.cli.bundle import add_bundle, add_data, asked_bundle, asked_table
from flows.cli.configuration import add_settings, configured_for
from flows.cli.environment import add_environment, chosen
from flows.config.loading import load_config
from flows.config.train import TrainConfig
from flows.outcome import Outcome, Progress
from flows.promotion.admission import CHALLENGER
from flows.workspace import Workspace


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Table, bundle, environment, the file to write, and the arguments of train for the roles of columns."""
    add_data(parser, "table to score (default: data.uri)")
    add_bundle(parser, "the challenger")
    parser.add_argument("--out", type=Path, metavar="FILE.parquet", help="where to write (the run's folder)")
    parser.add_argument("--explain", action="store_true", help="the features behind each alert row, as a column")
    add_environment(parser)
    add_settings(parser)


def run(arguments: argparse.Namespace, workspace: Workspace, progress: Progress, ray: Path) -> Outcome:
    """Find the bundle, load the configuration, score."""
    from flows.steps.bundles import find_bundle
    from flows.steps.score import score_table

    stated = load_config(TrainConfig, arguments.config, arguments.set)
    found = find_bundle(asked_bundle(arguments, stated, (CHALLENGER,)), chosen(arguments, workspace))
    config = configured_for(found.bundle.manifest.features, asked_table(arguments), arguments, progress)
    return score_table(config, found, arguments.out, workspace, progress, explained=arguments.explain)
