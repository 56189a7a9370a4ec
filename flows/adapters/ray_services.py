"""The door to the RayService of an environment, its clusters, and the Application of Argo CD that brings it about."""

from dataclasses import dataclass

from flows.adapters.kubernetes_api import KubernetesApi
from flows.adapters.kubernetes_errors import MissingError
from flows.adapters.kubernetes_kinds import APPLICATIONS, RAY_CLUSTERS, RAY_SERVICES
from flows.promotion.argo import Sync, read_sync
from flows.promotion.ray_objects import view_ray_service
from flows.promotion.ray_service import RayServiceView

_ARGOCD = "argocd"


@dataclass(frozen=True)
class RayServices:
    """``application``: its name in serveConfigV2, and that of the RayService; ``sync``: of Argo CD's Application.

    Every call raises what flows.adapters.kubernetes_errors says, UnreachableError for an object nobody understands.
    """

    api: KubernetesApi
    application: str
    deployment: str
    sync: str

    def view(self) -> RayServiceView:
        """The RayService and its clusters; without a generation where there is none."""
        try:
            found = self.api.get(RAY_SERVICES, self.application)
        except MissingError:
            return RayServiceView()
        labels = f"ray.io/originated-from-cr-name={self.application},ray.io/originated-from-crd=RayService"
        return view_ray_service(found, self.api.find(RAY_CLUSTERS, labels), self.application, self.deployment)

    def look_at_sync(self) -> Sync:
        """What Argo CD says. Raises InputError where there is no such Application."""
        return read_sync(self.api.get(APPLICATIONS, self.sync, _ARGOCD))
