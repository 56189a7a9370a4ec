"""The Ray Serve door: the application that ``serveConfigV2`` names as ``serving.app:build``."""

import tempfile
from pathlib import Path
from typing import Any

from ray import serve
from ray.serve.exceptions import DeploymentUnavailableError

from serving.cache import Cache
from serving.describe import state_of
from serving.events import emit, write_events_to_stderr
from serving.holder import Holder
from serving.loading import Depot
from serving.refusals import Refused
from serving.routes import make_app
from serving.settings import Arguments, read_settings


class AnomalyDetector:
    """One replica; configured by ``args`` (serving.settings.Arguments) and ``user_config`` (UserConfig) alone."""

    def __init__(self, arguments: Arguments) -> None:
        context = serve.get_replica_context()
        self._replica = context.replica_id.unique_id
        write_events_to_stderr(application=context.app_name, replica=self._replica)
        emit("replica_starts")
        self._fleet = serve.get_deployment_handle(context.deployment, context.app_name)
        folder = Path(arguments.cache.folder or Path(tempfile.gettempdir()) / "vigia-serving")
        cache = Cache(folder / "bundles", arguments.cache.max_bytes)
        self._holder = Holder(Depot(arguments.store.endpoint, arguments.store.region, cache))

    def reconfigure(self, user_config: dict[str, Any]) -> None:
        """The first call waits for its bundle and raises without one; later calls return at once."""
        self._holder.configure(user_config)

    async def state(self) -> dict[str, Any]:
        """What this replica wants to serve and serves, with its id as Serve's REST API shows it."""
        return {"replica": self._replica, **state_of(self._holder)}

    async def _ask_all(self) -> list[dict[str, Any]]:
        try:
            answers = await self._fleet.broadcast("state").results_async(timeout_s=2.0, return_exceptions=True)
        except DeploymentUnavailableError as error:  # Serve counts a replica out while it is given a configuration
            why = "no replica can be asked while it is given a configuration"
            raise Refused(503, why, headers=((b"retry-after", b"1"),)) from error
        return [answer if isinstance(answer, dict) else {"error": repr(answer)} for answer in answers]

    def __serve_build_asgi_app__(self) -> Any:
        return make_app(self._holder, self._ask_all)


_Deployment = serve.deployment(name="AnomalyDetector")(serve.ingress()(AnomalyDetector))


def build(arguments: dict[str, Any]) -> Any:
    """The Serve application. Raises InputError for arguments that cannot be understood."""
    return _Deployment.bind(read_settings(arguments, Arguments, "args"))
