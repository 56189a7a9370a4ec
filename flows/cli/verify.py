"""Arguments of `vigia verify`."""

import argparse
from pathlib import Path

from flows.outcome import Outcome, Progress
from flows.workspace import Workspace


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The environment, and how long to wait."""
    parser.add_argument("--env", default="local", help="environment (local)")
    parser.add_argument("--timeout", type=float, default=60.0, help="seconds to wait for every replica (60)")


def run(arguments: argparse.Namespace, workspace: Workspace, progress: Progress, ray: Path) -> Outcome:
    """Wire the doors to the step."""
    from flows.adapters.local_service import serve_api
    from flows.adapters.registry import Registry
    from flows.environments import environment
    from flows.steps.verify import verify

    registry = Registry(workspace.registry_uri, workspace.artifacts)
    return verify(environment(arguments.env, workspace), registry, serve_api(workspace), arguments.timeout)
