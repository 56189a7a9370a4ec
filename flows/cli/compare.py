"""Arguments of `vigia compare`."""

import argparse
from pathlib import Path

from flows.cli.bundle import add_model
from flows.cli.environment import add_environment, chosen
from flows.outcome import Outcome, Progress
from flows.workspace import Workspace


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Two versions of a model, or two runs."""
    for name in ("one", "other"):
        parser.add_argument(name, metavar=name.upper(), help="version, alias, run of this workspace, or run's folder")
    add_model(parser)
    add_environment(parser)


def run(arguments: argparse.Namespace, workspace: Workspace, progress: Progress, ray: Path) -> Outcome:
    """Wire the registry to the step."""
    from flows.adapters.registry import registry_of
    from flows.steps.compare import compare_cards

    with progress.stage("Opening the registry"):
        registry = registry_of(chosen(arguments, workspace))
    return compare_cards((arguments.one, arguments.other), arguments.model, registry, workspace)
