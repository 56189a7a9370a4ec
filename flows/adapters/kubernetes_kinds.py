"""Kinds of objects of the Kubernetes API that we ask for."""

from dataclasses import dataclass
from urllib.parse import quote


@dataclass(frozen=True)
class Kind:
    """One kind of objects, as paths have it. group: "" for the core."""

    group: str
    version: str
    plural: str

    def __str__(self) -> str:
        """As kubectl takes it: rayjobs.ray.io."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    def path(self, namespace: str, name: str = "", part: str = "") -> str:
        """Of all objects or of one; of a part of it, such as log. namespace: "" for the whole cluster."""
        prefix = f"/apis/{self.group}/{self.version}" if self.group else f"/api/{self.version}"
        place = f"/namespaces/{quote(namespace)}" if namespace else ""
        return "/".join(filter(None, (f"{prefix}{place}/{self.plural}", quote(name), part)))


CONFIG_MAPS = Kind("", "v1", "configmaps")
NAMESPACES = Kind("", "v1", "namespaces")
PODS = Kind("", "v1", "pods")
SECRETS = Kind("", "v1", "secrets")
SERVICES = Kind("", "v1", "services")
DEPLOYMENTS = Kind("apps", "v1", "deployments")
LEASES = Kind("coordination.k8s.io", "v1", "leases")
CRDS = Kind("apiextensions.k8s.io", "v1", "customresourcedefinitions")
RAY_JOBS = Kind("ray.io", "v1", "rayjobs")
RAY_SERVICES = Kind("ray.io", "v1", "rayservices")
RAY_CLUSTERS = Kind("ray.io", "v1", "rayclusters")
APPLICATIONS = Kind("argoproj.io", "v1alpha1", "applications")
EXTERNAL_SECRETS = Kind("external-secrets.io", "v1", "externalsecrets")
SELF_REVIEWS = Kind("authentication.k8s.io", "v1", "selfsubjectreviews")
