"""Arguments of `vigia reconcile`."""

import argparse
from pathlib import Path

from flows.outcome import Outcome, Progress
from flows.workspace import Workspace


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The environment."""
    parser.add_argument("--env", default="local", help="environment (local)")


def run(arguments: argparse.Namespace, workspace: Workspace, progress: Progress, ray: Path) -> Outcome:
    """Wire the doors to the step."""
    from flows.adapters.local_service import serve_api
    from flows.environments import environment
    from flows.steps.reconcile import reconcile

    return reconcile(environment(arguments.env, workspace), serve_api(workspace))
