"""Arguments of `vigia score`."""

import argparse
import json
from dataclasses import replace
from pathlib import Path

from features.errors import InputError
from flows.cli.configuration import add_settings
from flows.cli.environment import add_environment, chosen
from flows.config.loading import load_config
from flows.config.train import TrainConfig
from flows.outcome import Outcome, Progress
from flows.workspace import Workspace

# A table to score may hold a single row, whatever the training configuration asks of its own; --set wins over this.
_SCORING = ("validation.min_rows=1", "validation.min_days=0", "validation.constant_features=allow")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Table, bundle, environment, the file to write, and the arguments of train for the roles of columns."""
    parser.add_argument("data", nargs="?", metavar="DATA_URI", help="table to score (default: data.uri)")
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--bundle", metavar="PATH_OR_URI", help="folder of a bundle, without a registry")
    which.add_argument("--version", help="model version to score with")
    which.add_argument("--alias", default="challenger", help="model version by alias (challenger)")
    parser.add_argument("--model", help="registered model (default: the configured one)")
    parser.add_argument("--out", type=Path, metavar="FILE.parquet", help="where to write (the run's folder)")
    add_environment(parser)
    add_settings(parser)


def run(arguments: argparse.Namespace, workspace: Workspace, progress: Progress, ray: Path) -> Outcome:
    """Load the configuration, find the bundle, score."""
    table = [f"data.uri={json.dumps(arguments.data)}"] if arguments.data else []
    config = load_config(TrainConfig, arguments.config, [*_SCORING, *arguments.set, *table])
    place = chosen(arguments, workspace)
    from flows.steps.score import score_table

    if arguments.bundle:
        from features.storage import read_folder
        from serving.bundle import open_bundle

        bundle = open_bundle(read_folder(arguments.bundle, endpoint=place.endpoint))
        return score_table(config, bundle, arguments.bundle, arguments.out, workspace, progress)
    from flows.adapters.registry import registry_of
    from flows.bundles import load_version

    registry, model = registry_of(place), arguments.model or config.model
    asked = arguments.version
    found = registry.by_version(model, asked) if asked else registry.by_alias(model, arguments.alias)
    if found is None:
        raise InputError("--alias", f"must point at a version of {model!r}; run `vigia train` first", arguments.alias)
    bundle, named = load_version(found, place), f"{found.name} version {found.version}"
    done = score_table(config, bundle, named, arguments.out, workspace, progress)
    return replace(done, version=found.version, run_id=found.run_id)
