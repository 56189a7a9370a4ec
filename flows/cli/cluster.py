"""The doors of an environment, wherever it is served: the workspace's own service, or a RayService in a cluster."""

import os
from typing import TYPE_CHECKING

from features.errors import InputError
from flows.cli.environment import read_token
from flows.environments import Environment
from flows.workspace import Workspace

if TYPE_CHECKING:
    from flows.adapters.kubernetes_api import KubernetesApi
    from flows.adapters.ray_services import RayServices
    from flows.adapters.serve_api import ServeApi
    from flows.steps.doors import Doors

_PATIENCE_S = 5.0


def service_of(place: Environment, workspace: Workspace) -> "ServeApi":
    """Ray Serve and the service, asked with patience for a few seconds. Raises InputError for a token that is missing,
    UnreachableError where the workspace's own does not run."""
    from dataclasses import replace

    from flows.adapters.serve_api import ServeApi
    from flows.adapters.service_record import serve_api

    if place.controller == "reconcile":
        return replace(serve_api(workspace), timeout_s=_PATIENCE_S)
    dashboard = place.dashboard or f"http://{place.application}-head-svc.{place.namespace}:8265"
    token = read_token(place.tokens.dashboard, f"{place.name}.tokens.dashboard") or ""
    bearer = read_token(place.tokens.probe, f"{place.name}.tokens.probe") or ""
    return ServeApi(dashboard.rstrip("/"), token, (place.probe or "").rstrip("/"), _PATIENCE_S, bearer)


def kubernetes_of(place: Environment) -> "KubernetesApi":
    """The API of the environment's cluster, in its namespace. Raises InputError where nothing says how to reach it."""
    from flows.adapters.kubernetes_api import KubernetesApi
    from flows.adapters.kubernetes_client import connect

    return KubernetesApi(connect(place.context, os.environ), place.namespace or "default", _PATIENCE_S)


def cluster_of(place: Environment) -> "RayServices":
    """The RayService of the environment. Raises InputError where nothing says how to reach its cluster."""
    from flows.adapters.ray_services import RayServices

    return RayServices(kubernetes_of(place), place.application, place.deployment, place.sync)


def doors_of(place: Environment, workspace: Workspace) -> "Doors":
    """What a verification asks and acts on.

    Raises InputError for a probe that is a port-forward: it leads to one pod, past the way that requests take.
    """
    from flows.adapters.cluster_lease import ClusterLease
    from flows.adapters.registry import registry_of
    from flows.alias_log import AliasLog
    from flows.cli.forge import pull_requests
    from flows.steps.doors import Doors, open_doors

    if place.controller == "reconcile":
        return open_doors(place, workspace, lambda: pull_requests(place))
    if place.forwarded:
        rule = (
            "must be the way that requests take; a port-forward leads past it, which is enough for `vigia status` alone"
        )
        raise InputError(f"{place.name}.probe", rule, place.probe)
    cluster = cluster_of(place)
    return Doors(
        place,
        registry_of(place),
        service_of(place, workspace),
        ClusterLease(cluster.api, f"verify-{place.name}"),
        AliasLog(workspace.alias_log),
        lambda: pull_requests(place),
        cluster,
    )
