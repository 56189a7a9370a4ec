"""What a verification of one environment asks, and what it acts on."""

from dataclasses import dataclass, replace

from flows.adapters.registry import Registry, registry_of
from flows.adapters.serve_api import ServeApi
from flows.adapters.service_record import serve_api
from flows.alias_log import AliasLog
from flows.environments import Environment
from flows.lease import FileLease, Lease
from flows.workspace import Workspace

_PATIENCE_S = 5.0


@dataclass(frozen=True)
class Doors:
    """The registry, the controller and the service of an environment; the lease on it, and the log of its aliases."""

    environment: Environment
    registry: Registry
    api: ServeApi
    lease: Lease
    log: AliasLog


def open_doors(environment: Environment, workspace: Workspace) -> Doors:
    """The doors of an environment. Raises UnreachableError where registry or service do not run."""
    return Doors(
        environment,
        registry_of(environment),
        replace(serve_api(workspace), timeout_s=_PATIENCE_S),
        FileLease(workspace.leases / f"verify-{environment.name}"),
        AliasLog(workspace.alias_log),
    )
