"""Arguments of `vigia doctor`."""

import argparse
import os
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from flows.cli.environment import add_environment, chosen, read_token
from flows.environments import Environment
from flows.outcome import Outcome, Progress
from flows.workspace import Workspace

if TYPE_CHECKING:
    from flows.adapters.kubernetes_api import KubernetesApi
    from flows.adapters.serve_api import ServeApi

_PATIENCE_S = 5.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The environment."""
    add_environment(parser)


def run(arguments: argparse.Namespace, workspace: Workspace, progress: Progress, ray: Path) -> Outcome:
    """Wire the doors to the step."""
    from flows.steps.doctor import doctor
    from flows.steps.doctor_here import Surroundings, checks_here

    place = chosen(arguments, workspace, git=True)
    tokens = {
        key: partial(read_token, token, f"{place.name}.tokens.{key}")
        for key, token in place.tokens
        if token is not None
    }
    checks = checks_here(Surroundings(place, workspace.root, partial(_service, place, workspace), tokens))
    if place.controller == "argocd":
        from flows.steps.doctor_cluster import checks_of_cluster

        checks += checks_of_cluster(place, partial(_cluster, place))
    return doctor(checks, progress)


def _service(place: Environment, workspace: Workspace) -> "ServeApi":
    from dataclasses import replace

    from flows.adapters.serve_api import ServeApi
    from flows.adapters.service_record import serve_api

    if place.probe is None:
        return replace(serve_api(workspace), timeout_s=_PATIENCE_S)
    token = read_token(place.tokens.probe, f"{place.name}.tokens.probe") or ""
    return ServeApi(place.probe, token, place.probe, _PATIENCE_S)


def _cluster(place: Environment) -> "KubernetesApi":
    from flows.adapters.kubernetes_api import KubernetesApi
    from flows.adapters.kubernetes_client import connect

    return KubernetesApi(connect(place.context, os.environ), place.namespace or "default", _PATIENCE_S)
