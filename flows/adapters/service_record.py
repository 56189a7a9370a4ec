"""Where the running service of a workspace is; read without importing Ray."""

import json
import os
from dataclasses import dataclass

from features.errors import UnreachableError
from flows.adapters.serve_api import ServeApi
from flows.workspace import Workspace


@dataclass(frozen=True)
class ServiceRecord:
    """What ``service.json`` says of a running service."""

    pid: int
    dashboard: str
    url: str
    folder: str


def running_service(workspace: Workspace) -> ServiceRecord:
    """The service of this workspace. Raises UnreachableError when none runs."""
    try:
        record = ServiceRecord(**json.loads(workspace.service.read_text()))
        os.kill(record.pid, 0)
    except (OSError, ValueError, TypeError) as error:
        raise UnreachableError(f"no service runs in {workspace.root}; start it with `vigia serve`") from error
    return record


def serve_api(workspace: Workspace) -> ServeApi:
    """The REST API of the service of this workspace."""
    record = running_service(workspace)
    return ServeApi(record.dashboard, workspace.token.read_text().strip(), record.url)
