"""The Ray Serve door: the application that ``serveConfigV2`` names as ``serving.app:build``."""

import sys
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

import ray
from ray import serve
from ray.serve.exceptions import DeploymentUnavailableError

from features.storage import local_path
from serving.cache import Cache
from serving.describe import state_of
from serving.events import emit, write_events_to_stderr
from serving.exposition import families
from serving.holder import Holder
from serving.loading import Depot
from serving.prediction_log import PredictionLog
from serving.ray_metrics import Publisher
from serving.refusals import Refused
from serving.routes import make_app
from serving.settings import Arguments, read_settings
from serving.telemetry import Telemetry

_FAREWELL_S, _ASK_S = 5.0, 2.0
_TURN_S = 0.001  # what a request waits at most for a thread that loads or logs; Python's own is 5 ms


class AnomalyDetector:
    """One replica; configured by ``args`` (serving.settings.Arguments) and ``user_config`` (UserConfig) alone."""

    def __init__(self, arguments: Arguments) -> None:
        context = serve.get_replica_context()
        self._replica, self._node = context.replica_id.unique_id, ray.get_runtime_context().get_node_id()
        write_events_to_stderr(application=context.app_name, replica=self._replica)
        sys.setswitchinterval(_TURN_S)
        emit("replica_starts")
        self._ended = False
        self._fleet = serve.get_deployment_handle(context.deployment, context.app_name)
        folder = local_path(arguments.cache.folder or str(Path(tempfile.gettempdir()) / "vigia-serving"))
        cache = Cache(folder / "bundles", arguments.cache.max_bytes)
        store = arguments.store
        self._holder = Holder(Depot(store.endpoint, store.region, cache))
        self._log = PredictionLog(self._replica, folder / "journals", store.endpoint, store.region)
        self._telemetry = Telemetry()
        self._publisher = Publisher(lambda: families(self._telemetry, self._holder, self._log))

    def reconfigure(self, user_config: dict[str, Any]) -> None:
        """The first call waits for its bundle and raises without one; later calls return at once."""
        self._holder.configure(user_config)
        self._log.configure(self._holder.settings.log)

    async def state(self) -> dict[str, Any]:
        """What this replica wants to serve and serves, with its id and its node's as Ray shows them."""
        return {"replica": self._replica, "node": self._node, **state_of(self._holder)}

    async def _ask_all(self) -> list[dict[str, Any]]:
        try:
            answers = await self._fleet.broadcast("state").results_async(timeout_s=_ASK_S, return_exceptions=True)
        except TimeoutError:  # Serve then gives the answers of none: one hangs, and nobody says which
            return [await self.state(), {"error": f"another replica gives no answer, for more than {_ASK_S:g} s"}]
        except DeploymentUnavailableError as error:  # Serve counts a replica out while it is given a configuration
            why = "no replica can be asked while it is given a configuration"
            raise Refused(503, why, headers=((b"retry-after", b"1"),)) from error
        return [answer if isinstance(answer, dict) else {"error": repr(answer)} for answer in answers]

    def __serve_build_asgi_app__(self) -> Any:
        return make_app(self._holder, self._ask_all, self._telemetry, self._log)

    def __del__(self) -> None:
        """Serve calls this once no request runs any more, within the deployment's graceful_shutdown_timeout_s."""
        if not self._ended:
            self._ended = True
            self._log.close(_FAREWELL_S)
            self._publisher.close()
            emit("replica_ends", **asdict(self._log.counts()))


_Deployment = serve.deployment(name="AnomalyDetector")(serve.ingress()(AnomalyDetector))


def build(arguments: dict[str, Any]) -> Any:
    """The Serve application. Raises InputError for arguments that cannot be understood."""
    return _Deployment.bind(read_settings(arguments, Arguments, "args"))
