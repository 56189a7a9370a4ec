"""Arguments of `vigia promote`."""

import argparse
from pathlib import Path

from flows.outcome import Outcome, Progress
from flows.workspace import Workspace


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The environment, and which version."""
    parser.add_argument("--env", default="local", help="environment (local)")
    parser.add_argument("--model", default="anomaly-detector", help="registered model")
    parser.add_argument("--version", help="model version to promote (default: the challenger)")


def run(arguments: argparse.Namespace, workspace: Workspace, progress: Progress, ray: Path) -> Outcome:
    """Wire the doors to the step."""
    from flows.adapters.registry import Registry
    from flows.environments import environment
    from flows.steps.promote import promote

    place = environment(arguments.env, workspace)
    return promote(place, Registry(workspace.registry_uri, workspace.artifacts), arguments.model, arguments.version)
