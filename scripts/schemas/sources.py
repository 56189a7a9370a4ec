"""Which definitions the manifests use, and where their publishers keep them, each at a tag."""

from collections.abc import Iterator
from dataclasses import dataclass

PUBLISHED = "https://raw.githubusercontent.com"


@dataclass(frozen=True)
class Source:
    """Files of one repository at one tag. kinds: the kinds that are wanted of a file that holds more; empty for all."""

    repository: str
    tag: str
    folder: str
    files: tuple[str, ...]
    kinds: tuple[str, ...] = ()

    def addresses(self, base: str) -> Iterator[str]:
        return (f"{base}/{self.repository}/{self.tag}/{self.folder}/{file}" for file in self.files)


def _of_group(group: str, *plurals: str) -> tuple[str, ...]:
    return tuple(f"{group}_{plural}.yaml" for plural in plurals)


SOURCES = (
    Source(
        "ray-project/kuberay",
        "v1.7.0",
        "ray-operator/config/crd/bases",
        _of_group("ray.io", "rayclusters", "rayjobs", "rayservices", "raycronjobs"),
    ),
    Source(
        "argoproj/argo-cd",
        "v3.5.1",
        "manifests/crds",
        ("application-crd.yaml", "applicationset-crd.yaml", "appproject-crd.yaml"),
    ),
    Source(
        "istio/istio",
        "1.30.3",
        "manifests/charts/base/files",
        ("crd-all.gen.yaml",),
        (
            *("Gateway", "VirtualService", "DestinationRule", "ServiceEntry", "Sidecar", "Telemetry"),
            *("AuthorizationPolicy", "PeerAuthentication", "RequestAuthentication"),
        ),
    ),
    Source(
        "prometheus-operator/prometheus-operator",
        "v0.93.0",
        "example/prometheus-operator-crd",
        _of_group(
            "monitoring.coreos.com",
            *("alertmanagerconfigs", "podmonitors", "probes", "prometheusrules", "scrapeconfigs", "servicemonitors"),
        ),
    ),
    Source(
        "external-secrets/external-secrets",
        "v2.9.0",
        "config/crds/bases",
        (
            *_of_group("external-secrets.io", "externalsecrets", "secretstores", "pushsecrets"),
            *_of_group("external-secrets.io", "clusterexternalsecrets", "clustersecretstores"),
            *_of_group("generators.external-secrets.io", "clustergenerators", "fakes", "passwords", "uuids"),
        ),
    ),
    Source(
        "cert-manager/cert-manager",
        "v1.21.1",
        "deploy/crds",
        _of_group("cert-manager.io", "certificates", "clusterissuers", "issuers"),
    ),
    Source(
        "kubernetes-sigs/gateway-api",
        "v1.6.1",
        "config/crd/standard",
        _of_group(
            "gateway.networking.k8s.io",
            *("gatewayclasses", "gateways", "grpcroutes", "httproutes", "referencegrants"),
        ),
    ),
)
