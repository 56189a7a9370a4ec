"""Arguments of the commands about jobs, and the door that they choose: a cluster, or a Ray on this machine."""

import argparse
import os
import shlex
import sys
from pathlib import Path
from urllib.parse import urlsplit

from features.errors import InputError
from flows.cli.environment import LOCAL, add_environment, described
from flows.cli.place import same_place
from flows.environments import Environment
from flows.jobs.door import JobDoor
from flows.jobs.verdict import Patience
from flows.steps.job_outcome import Whereabouts
from flows.workspace import Workspace

_TIMEOUT_S = 18_000.0
"""Above the deadline of every template, and room for a cluster to start."""
_SETTLE_HERE_S = 5.0


def add_place(parser: argparse.ArgumentParser) -> None:
    """--env, --environments, and --address of a Ray on this machine."""
    add_environment(parser)
    told = "dashboard of a Ray on this machine, for --env local (default: that of `vigia serve`)"
    parser.add_argument("--address", metavar="URL", help=told)


def add_timeout(parser: argparse.ArgumentParser) -> None:
    """--timeout."""
    told = f"how long to wait for the job's end ({_TIMEOUT_S:g})"
    parser.add_argument("--timeout", type=float, default=_TIMEOUT_S, metavar="SECONDS", help=told)


def patience_of(arguments: argparse.Namespace, place: Environment) -> Patience:
    """How long to wait: on a cluster a log may lag behind a status. Raises InputError."""
    if not arguments.timeout > 0:  # nor NaN
        raise InputError("--timeout", "must be above 0", arguments.timeout)
    here = place.namespace is None
    return Patience(arguments.timeout, _SETTLE_HERE_S) if here else Patience(arguments.timeout)


def whereabouts(arguments: argparse.Namespace, place: Environment) -> Whereabouts:
    """What a later command must be told to find the same jobs."""
    address = shlex.join(["--address", arguments.address]) if arguments.address else ""
    return Whereabouts(place.name, address, same_place(arguments))


def job_door(
    arguments: argparse.Namespace, workspace: Workspace, templates: str | None = None
) -> tuple[Environment, JobDoor]:
    """Where the jobs of --env run. Raises InputError or UnreachableError."""
    place = described(arguments, workspace)
    if place.namespace is None:
        if templates is not None:
            raise InputError("--templates", "is for a cluster: this machine has no RayJobs", templates)
        return place, _local(arguments, place, workspace)
    if arguments.address is not None:
        raise InputError("--address", f"is for --env local; {place.name} is a cluster", arguments.address)
    from flows.adapters.kubernetes_jobs import ClusterJobs
    from flows.cli.cluster import kubernetes_of
    from flows.steps.job_templates import read_templates

    texts = None if templates is None else read_templates(Path(templates))
    return place, ClusterJobs(kubernetes_of(place), texts)


def _local(arguments: argparse.Namespace, place: Environment, workspace: Workspace) -> JobDoor:
    from flows.adapters.ray_jobs import RayJobs
    from flows.adapters.service_record import running_service

    dashboard = running_service(workspace).dashboard if arguments.address is None else arguments.address
    if urlsplit(dashboard).scheme not in ("http", "https") or not urlsplit(dashboard).hostname:
        raise InputError("--address", "must be the URL of Ray's dashboard, http://host:port", dashboard)
    settings = ["--workspace", str(workspace.root), "--result-line"]
    if place.name != LOCAL:
        settings += ["--env", place.name]
    if arguments.environments is not None:
        settings += ["--environments", str(arguments.environments.absolute())]
    command = (sys.executable, "-m", "flows")
    return RayJobs(dashboard.rstrip("/"), _token(workspace), Path.cwd(), command, tuple(settings))


def _token(workspace: Workspace) -> str:
    token = os.environ.get("RAY_AUTH_TOKEN", "")
    if not token and workspace.token.is_file():
        token = workspace.token.read_text(encoding="utf-8")
    return token.strip()
