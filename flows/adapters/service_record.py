"""Where the running service of a workspace is; read without importing Ray."""

import json
import os
from dataclasses import dataclass

from features.errors import UnreachableError
from flows.adapters.processes import birth
from flows.adapters.serve_api import ServeApi
from flows.workspace import Workspace


@dataclass(frozen=True)
class ServiceRecord:
    """What ``service.json`` says of a running service; ``metrics`` is the address for a Prometheus to scrape; ``born``
    tells its process from a later one of the same id."""

    pid: int
    dashboard: str
    url: str
    folder: str
    metrics: str = ""
    born: str = ""


def running_service(workspace: Workspace) -> ServiceRecord:
    """The service of this workspace. Raises UnreachableError when none runs."""
    record = find_record(workspace)
    if record is None or not is_alive(record):
        raise UnreachableError(f"no service runs in {workspace.root}; start it with `vigia serve`")
    return record


def find_record(workspace: Workspace) -> ServiceRecord | None:
    """What the last service said of itself; it may be dead. None where there is nothing, or nothing readable."""
    try:
        return ServiceRecord(**json.loads(workspace.service.read_text()))
    except (OSError, ValueError, TypeError):
        return None


def is_alive(record: ServiceRecord) -> bool:
    """Whether the process of a record runs."""
    try:
        os.kill(record.pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # somebody else's
        pass
    return not record.born or record.born == birth(record.pid)


def serve_api(workspace: Workspace) -> ServeApi:
    """The REST API of the service of this workspace."""
    record = running_service(workspace)
    return ServeApi(record.dashboard, workspace.token.read_text().strip(), record.url)
