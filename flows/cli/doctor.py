"""Arguments of `vigia doctor`."""

import argparse
from contextlib import suppress
from functools import partial
from pathlib import Path

from features.errors import InputError
from flows.cli.cluster import kubernetes_of, service_of
from flows.cli.environment import add_environment, described, read_token, tell_registry_token
from flows.outcome import Outcome, Progress
from flows.workspace import Workspace


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The environment."""
    add_environment(parser)


def run(arguments: argparse.Namespace, workspace: Workspace, progress: Progress, ray: Path) -> Outcome:
    """Wire the doors to the step."""
    from flows.steps.doctor import doctor
    from flows.steps.doctor_here import Surroundings, checks_here

    place = described(arguments, workspace, git=True)
    with suppress(InputError):  # a check of its own says so
        tell_registry_token(place)
    tokens = {
        key: partial(read_token, token, f"{place.name}.tokens.{key}")
        for key, token in place.tokens
        if token is not None
    }
    checks = checks_here(Surroundings(place, workspace.root, partial(service_of, place, workspace), tokens))
    if place.controller == "argocd":
        from flows.steps.doctor_cluster import checks_of_cluster

        checks += checks_of_cluster(place, partial(kubernetes_of, place))
    return doctor(checks, progress)
