"""What `vigia doctor` asks of a cluster, through the Kubernetes API alone."""

import json
import socket
from collections.abc import Callable
from urllib.parse import urlsplit

from features.errors import InputError, UnreachableError, UnverifiedError
from flows.adapters.kubernetes_api import KubernetesApi, Service
from flows.adapters.kubernetes_kinds import (
    APPLICATIONS,
    CONFIG_MAPS,
    CRDS,
    DEPLOYMENTS,
    EXTERNAL_SECRETS,
    NAMESPACES,
    RAY_SERVICES,
    SECRETS,
    SELF_REVIEWS,
)
from flows.doctor.checkup import Check
from flows.doctor.cluster_facts import fetched, filled, health_checks, operator_says, operators, ready, scraped, synced
from flows.doctor.versions import at_least
from flows.environments import Environment
from flows.steps.doctor_here import version_of, wanted_versions

_KINDS = {
    "rayservices.ray.io": "v1",
    "rayclusters.ray.io": "v1",
    "rayjobs.ray.io": "v1",
    "virtualservices.networking.istio.io": "v1",
    "authorizationpolicies.security.istio.io": "v1",
    "certificates.cert-manager.io": "v1",
    "podmonitors.monitoring.coreos.com": "v1",
    "prometheusrules.monitoring.coreos.com": "v1",
    "applications.argoproj.io": "v1alpha1",
}
_GATES = {"RayServiceIncrementalUpgrade": "false"}
"""Two fleets that share the traffic for a while: a verification would never see one digest everywhere."""
_HEALTH_CHECKED = ("ray.io_RayService", "ray.io_RayJob", "ray.io_RayCluster", "batch_CronJob")
_PROMETHEUS = Service("monitoring", "prometheus-operator-kube-p-prometheus", 9090)
_WHO = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview", "metadata": {}}
_PATIENCE_S = 5.0
_SETUP = "run scripts/1-config-cluster.sh; it may be run again"


def checks_of_cluster(place: Environment, api: Callable[[], KubernetesApi]) -> list[Check]:
    """In the order in which one needs the other."""
    namespace = place.namespace or ""
    apply = f"`kubectl apply -k manifests/overlays/{place.name}`, or let Argo CD sync"
    return [
        Check("kubectl", _kubectl, "install it; scripts/0-install-dependencies.sh does on Debian"),
        Check(
            "Kubernetes API",
            lambda: _reachable(api()),
            f"see that `kubectl{_context(place)} auth whoami` works; `context` of the environment names another",
        ),
        Check("Namespace", lambda: _there(api(), namespace), apply, ("Kubernetes API",)),
        Check("Operators", lambda: operators(api().find(CRDS, namespace=""), _KINDS), _SETUP, ("Kubernetes API",)),
        Check("KubeRay", lambda: _kuberay(api()), _SETUP, ("Kubernetes API",)),
        Check("Secrets", lambda: _secrets(api()), f"{_SETUP}; docs/TROUBLESHOOTING.md, Secrets", ("Namespace",)),
        Check(
            "RayService",
            lambda: ready(api().get(RAY_SERVICES, place.application)),
            "docs/TROUBLESHOOTING.md, RayService",
            ("Namespace", "Operators"),
        ),
        Check(
            "Argo CD",
            lambda: synced(api().get(APPLICATIONS, f"ml-system-{place.name}", "argocd")),
            f"docs/TROUBLESHOOTING.md, Argo CD; `kubectl -n argocd describe application ml-system-{place.name}`",
            ("Operators",),
        ),
        Check(
            "Health checks",
            lambda: health_checks(api().get(CONFIG_MAPS, "argocd-cm", "argocd"), _HEALTH_CHECKED),
            _SETUP,
            ("Kubernetes API",),
        ),
        Check(
            "Monitoring", lambda: _scraped(api(), namespace), "docs/TROUBLESHOOTING.md, Monitoring", ("Kubernetes API",)
        ),
        Check(
            "Host",
            lambda: _host(place),
            "on Minikube put `minikube ip` and the host into /etc/hosts; docs/TROUBLESHOOTING.md, Host",
        ),
    ]


def _kubectl() -> str:
    told = json.loads(version_of("kubectl", "version", "--client", "--output=json"))
    wanted = wanted_versions()
    kustomize = at_least("kustomize", str(told.get("kustomizeVersion", "")), "v5.5.0")
    kubectl = at_least("kubectl", str(told["clientVersion"]["gitVersion"]), wanted.get("KUBECTL_VERSION", "v1.32.0"))
    return f"{kubectl}, kustomize {kustomize}"


def _context(place: Environment) -> str:
    return f" --context {place.context}" if place.context else ""


def _reachable(api: KubernetesApi) -> str:
    """Whom the API takes us for: its version it tells to anybody."""
    try:
        who = api.create(SELF_REVIEWS, _WHO, "")["status"]["userInfo"]["username"]
    except UnverifiedError as error:
        raise InputError("kubernetes", f"must know who asks: {error}") from error
    if who == "system:anonymous":
        raise InputError("kubernetes", "must know who asks: the kubeconfig gives no credentials", who)
    return f"{api.server_version()} at {api.client.configuration.host}, as {who}"


def _there(api: KubernetesApi, namespace: str) -> str:
    labels = api.get(NAMESPACES, namespace, "")["metadata"].get("labels", {})
    level = labels.get("pod-security.kubernetes.io/enforce")
    if not level:
        raise InputError("namespace", "must enforce a level of Pod Security", namespace)
    return f"{namespace} enforces Pod Security {level}"


def _secrets(api: KubernetesApi) -> str:
    """Those that a script fills, or on AWS those that an operator fetches."""
    if found := api.find(SECRETS, "vigia/values"):
        return filled(found)
    try:
        external = api.find(EXTERNAL_SECRETS, "app.kubernetes.io/part-of=vigia")
    except InputError:  # a cluster without that operator
        external = []
    return fetched(external) if external else filled(found)


def _kuberay(api: KubernetesApi) -> str:
    return operator_says(
        api.find(DEPLOYMENTS, "app.kubernetes.io/name=kuberay-operator", namespace="ray-system"), _GATES
    )


def _scraped(api: KubernetesApi, namespace: str) -> str:
    answer = api.ask_service(_PROMETHEUS, "api/v1/query", {"query": f'up{{namespace="{namespace}"}}'})
    return scraped(answer, namespace)


def _host(place: Environment) -> str:
    where = urlsplit(place.probe or "")
    port = where.port or (443 if where.scheme == "https" else 80)
    try:
        with socket.create_connection((where.hostname or "", port), _PATIENCE_S) as found:
            return f"{where.hostname} is {found.getpeername()[0]}, and takes connections at port {port}"
    except OSError as error:
        raise UnreachableError(f"nobody answers at {where.hostname}:{port} ({error})") from error
