"""Arguments of `vigia promote`, `reconcile`, `verify` and `serve`."""

import argparse
from pathlib import Path

from flows.outcome import Outcome, Progress
from flows.workspace import Workspace


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Each of the four has what it reads and nothing else."""
    command = parser.prog.split()[-1]
    parser.add_argument("--env", default="local", help="environment (local)")
    if command in ("promote", "serve"):
        parser.add_argument("--model", default="anomaly-detector", help="registered model")
    if command == "promote":
        parser.add_argument("--version", help="model version to promote (default: the challenger)")
    if command == "serve":
        parser.add_argument("--port", type=int, default=8000, help="where to serve (8000)")
    if command == "verify":
        parser.add_argument("--timeout", type=float, default=60.0, help="seconds to wait for every replica (60)")


def run(arguments: argparse.Namespace, workspace: Workspace, progress: Progress, ray: Path) -> Outcome:
    """Wire the doors to the step."""
    from flows.adapters.registry import Registry
    from flows.environments import environment
    from flows.steps import release

    place = environment(arguments.env, workspace)
    if arguments.command == "serve":
        from flows.steps.serve import run_service

        return run_service(place, workspace, arguments.model, arguments.port, progress, ray)
    if arguments.command == "promote":
        registry = Registry(workspace.registry_uri, workspace.artifacts)
        return release.promote(place, registry, arguments.model, arguments.version)
    from flows.adapters.local_service import serve_api

    api = serve_api(workspace)
    if arguments.command == "reconcile":
        return release.reconcile(place, api)
    return release.verify(place, Registry(workspace.registry_uri, workspace.artifacts), api, arguments.timeout)
