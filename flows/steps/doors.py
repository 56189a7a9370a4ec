"""What a verification of one environment asks, and what it acts on."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace

from features.errors import InputError
from flows.adapters.pull_requests import PullRequests
from flows.adapters.ray_services import RayServices
from flows.adapters.registry import Registry, registry_of
from flows.adapters.serve_api import ServeApi
from flows.adapters.service_record import serve_api
from flows.alias_log import AliasLog
from flows.environments import Environment
from flows.lease import FileLease, Lease
from flows.workspace import Workspace

_PATIENCE_S = 5.0
Forge = Callable[[], AbstractContextManager[PullRequests]]
"""Opens the door to the pull requests of an environment; entering it raises InputError without a token."""


Cluster = Callable[[], RayServices]
"""Opens the door to the RayService of an environment; raises InputError where nothing says how to reach its cluster."""


def no_forge() -> AbstractContextManager[PullRequests]:
    """The forge of who has none."""
    raise InputError("tokens.pull_request", "must say where a token for pull requests is")


@dataclass(frozen=True)
class Doors:
    """The registry, the controller and the service of an environment; the lease on it, and the log of its aliases.

    forge: needed for nothing but a revert on a branch that takes no push. cluster: None where none serves.
    """

    environment: Environment
    registry: Registry
    api: ServeApi
    lease: Lease
    log: AliasLog
    forge: Forge = no_forge
    cluster: RayServices | None = None


def open_doors(environment: Environment, workspace: Workspace, forge: Forge = no_forge) -> Doors:
    """The doors of an environment that this machine serves. Raises UnreachableError where its service does not run,
    InputError where a cluster serves it."""
    if environment.controller != "reconcile":
        raise InputError(
            f"{environment.name}.controller", "must be reconcile: here Argo CD and KubeRay apply", "argocd"
        )
    return Doors(
        environment,
        registry_of(environment),
        replace(serve_api(workspace), timeout_s=_PATIENCE_S),
        FileLease(workspace.leases / f"verify-{environment.name}"),
        AliasLog(workspace.alias_log),
        forge,
    )
