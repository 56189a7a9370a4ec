"""Kinds that the fake of the Kubernetes API serves: built-in ones, and custom ones as the schema folder lists them."""

import json
import os
from dataclasses import dataclass
from pathlib import Path

_CHECKOUT = Path(__file__).resolve().parents[3]


@dataclass(frozen=True)
class Kind:
    """One kind. status: has a status subresource; generation: counts changes of anything but metadata and status.

    unconditional: PUT without a resourceVersion is taken; schema: file of a custom kind, empty for built-in ones.
    """

    group: str
    version: str
    kind: str
    plural: str
    namespaced: bool = True
    status: bool = False
    generation: bool = False
    unconditional: bool = True
    schema: str = ""

    @property
    def api_version(self) -> str:
        """As an object's apiVersion."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def resource(self) -> str:
        """As messages of the API server call it: plural, with the group where there is one."""
        return f"{self.plural}.{self.group}" if self.group else self.plural


CRD = Kind(
    "apiextensions.k8s.io", "v1", "CustomResourceDefinition", "customresourcedefinitions", namespaced=False, status=True
)
_REVIEW = "selfsubjectaccessreviews"
REVIEW = Kind("authorization.k8s.io", "v1", "SelfSubjectAccessReview", _REVIEW, namespaced=False)
WHO = Kind("authentication.k8s.io", "v1", "SelfSubjectReview", "selfsubjectreviews", namespaced=False)
BUILT_IN = (
    Kind("", "v1", "Namespace", "namespaces", namespaced=False, status=True),
    Kind("", "v1", "Node", "nodes", namespaced=False, status=True),
    Kind("", "v1", "Secret", "secrets"),
    Kind("", "v1", "ConfigMap", "configmaps"),
    Kind("", "v1", "Pod", "pods", status=True),
    Kind("", "v1", "Service", "services", status=True),
    Kind("", "v1", "Endpoints", "endpoints"),
    Kind("", "v1", "ServiceAccount", "serviceaccounts"),
    Kind("", "v1", "Event", "events"),
    Kind("", "v1", "PersistentVolumeClaim", "persistentvolumeclaims", status=True),
    Kind("apps", "v1", "Deployment", "deployments", status=True, generation=True),
    Kind("apps", "v1", "StatefulSet", "statefulsets", status=True, generation=True),
    Kind("batch", "v1", "Job", "jobs", status=True, generation=True),
    Kind("batch", "v1", "CronJob", "cronjobs", status=True, generation=True),
    Kind("coordination.k8s.io", "v1", "Lease", "leases", unconditional=False),
    Kind("discovery.k8s.io", "v1", "EndpointSlice", "endpointslices"),
    Kind("networking.k8s.io", "v1", "Ingress", "ingresses", status=True, generation=True),
    Kind("networking.k8s.io", "v1", "NetworkPolicy", "networkpolicies", generation=True),
    Kind("rbac.authorization.k8s.io", "v1", "Role", "roles"),
    Kind("rbac.authorization.k8s.io", "v1", "RoleBinding", "rolebindings"),
    Kind("storage.k8s.io", "v1", "StorageClass", "storageclasses", namespaced=False),
    CRD,
    REVIEW,
    WHO,
)


def schema_folder() -> Path | None:
    """Schemas of custom kinds: $VIGIA_SCHEMAS, else ../shared/schemas, else .vigia/schemas; None without any."""
    named = os.environ.get("VIGIA_SCHEMAS")
    places = [Path(named)] if named else [_CHECKOUT.parent / "shared/schemas", _CHECKOUT / ".vigia/schemas"]
    return next((place for place in places if (place / "index.json").is_file()), None)


def custom_kinds() -> tuple[Kind, ...]:
    """Kinds of the schema folder; none where there is no such folder."""
    folder = schema_folder()
    if folder is None:
        return ()
    return tuple(
        Kind(
            row["group"],
            row["version"],
            row["kind"],
            row["plural"],
            namespaced=row["scope"] == "Namespaced",
            status=row["status_subresource"],
            generation=True,
            unconditional=False,
            schema=str(folder / row["file"]),
        )
        for row in json.loads((folder / "index.json").read_text(encoding="utf-8"))
    )
