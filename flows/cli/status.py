"""Arguments of `vigia status`."""

import argparse
import json
from pathlib import Path

from flows.cli.environment import add_environment, chosen
from flows.outcome import Outcome, Progress
from flows.workspace import Workspace


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The environment, and how to say it."""
    add_environment(parser)
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout instead of lines")


def run(arguments: argparse.Namespace, workspace: Workspace, progress: Progress, ray: Path) -> Outcome:
    """Wire the doors to the step."""
    from dataclasses import replace

    from flows.adapters.registry import registry_of
    from flows.cli.cluster import cluster_of, service_of
    from flows.steps.status import status

    place = chosen(arguments, workspace, git=True)
    cluster = (lambda: cluster_of(place)) if place.controller == "argocd" else None
    found = status(place, lambda: registry_of(place), lambda: service_of(place, workspace), cluster)
    if not arguments.json:
        return found
    print(json.dumps(found.figures, indent=2))
    return replace(found, lines=())
