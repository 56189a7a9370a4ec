"""Rules: what a resource names is there, with the key that it names."""

from collections.abc import Iterator
from typing import Any

from tests.manifests.checking.documents import Documents, Resource
from tests.manifests.checking.finding import Finding
from tests.manifests.checking.kuberay import CLUSTERS
from tests.manifests.checking.pods import TEMPLATES, pods
from tests.manifests.checking.walking import at, mappings

_OWNERS = (*TEMPLATES, "Pod", *CLUSTERS)
_KINDS = {"secretKeyRef": "Secret", "secretRef": "Secret", "configMapKeyRef": "ConfigMap", "configMapRef": "ConfigMap"}
PROMISED = "vigia/keys"  # names of keys whose values only the cluster has
_CHART_ACCOUNTS = {("cert-manager", "cert-manager")}
_VOLUMES = {"secret": ("Secret", "secretName"), "configMap": ("ConfigMap", "name")}


def configuration_exists(documents: Documents) -> Iterator[Finding]:
    """ConfigMaps and Secrets, by variable, by volume or for pulling images, and the keys that are named."""
    for owner in documents.of(*_OWNERS):
        for path, kind, name, keys in _wanted(owner):
            have = keys_of(documents, kind, name, owner.namespace)
            if have is None:
                yield owner.finding(path, f"a {kind} that there is", name)
                continue
            for key in keys:
                if key not in have:
                    yield owner.finding(path, f"a key of {kind}/{name}", key)


def service_account_exists(documents: Documents) -> Iterator[Finding]:
    for pod in pods(documents):
        name = pod.spec.get("serviceAccountName")
        if name not in (None, "default") and not documents.find("ServiceAccount", name, pod.namespace):
            yield pod.owner.finding(f"{pod.path}.spec.serviceAccountName", "a ServiceAccount that there is", name)


def claim_exists(documents: Documents) -> Iterator[Finding]:
    for pod in pods(documents):
        for volume in pod.spec.get("volumes") or ():
            name = at(volume, "persistentVolumeClaim.claimName")
            if name and not documents.find("PersistentVolumeClaim", name, pod.namespace):
                place = f"{pod.path}.spec.volumes[{volume['name']}]"
                yield pod.owner.finding(place, "a PersistentVolumeClaim that there is", name)


def mount_has_volume(documents: Documents) -> Iterator[Finding]:
    for pod in pods(documents):
        claims = at(pod.owner.body, "spec.volumeClaimTemplates", [])
        have = {volume["name"] for volume in pod.spec.get("volumes") or ()}
        have |= {claim["metadata"]["name"] for claim in claims}
        for path, container in pod.containers():
            for mount in container.get("volumeMounts") or ():
                if mount["name"] not in have:
                    yield pod.owner.finding(f"{path}.volumeMounts", "a volume of its pod", mount["name"])


def scale_target_exists(documents: Documents) -> Iterator[Finding]:
    for hpa in documents.of("HorizontalPodAutoscaler"):
        target = hpa.spec.get("scaleTargetRef") or {}
        kind, name = str(target.get("kind")), target.get("name")
        chart = (kind, name, hpa.namespace) == ("Deployment", "istio-ingress", "istio-system")
        if not chart and not documents.find(kind, name, hpa.namespace):
            yield hpa.finding("spec.scaleTargetRef", "a workload that there is", f"{kind}/{name}")


def role_exists(documents: Documents) -> Iterator[Finding]:
    for binding in documents.of("RoleBinding"):
        role = at(binding.body, "roleRef", {})
        if role.get("kind") == "Role" and not documents.find("Role", role.get("name"), binding.namespace):
            yield binding.finding("roleRef", "a Role that there is", role.get("name"))
        for index, one in enumerate(binding.body.get("subjects") or ()):
            named = (one["name"], one.get("namespace", binding.namespace))
            if one["kind"] != "ServiceAccount" or named in _CHART_ACCOUNTS:
                continue
            if documents.find("ServiceAccount", *named) is None:
                yield binding.finding(f"subjects[{index}]", "a ServiceAccount that there is", one["name"])


def keys_of(documents: Documents, kind: str, name: object, namespace: str) -> set[str] | None:
    """The keys of a ConfigMap or Secret, one that an operator writes among them; None where nobody makes it."""
    if (kind, name) == ("ConfigMap", "kube-root-ca.crt"):  # Kubernetes makes it in every namespace
        return {"ca.crt"}
    found = documents.find(kind, name, namespace)
    made = _made(documents, name, namespace) if kind == "Secret" else None
    if found is None:
        return made
    own = {key for field in ("data", "stringData", "binaryData") for key in found.body.get(field) or ()}
    promised = at(found.body, "metadata.annotations", {}).get(PROMISED, "")
    return own | set(promised.split(",")) - {""} | (made or set())


def _made(documents: Documents, name: object, namespace: str) -> set[str] | None:
    for one in documents.of("ExternalSecret"):
        if one.namespace == namespace and at(one.spec, "target.name", one.name) == name:
            templated = at(one.spec, "target.template.data", {})
            return {*templated} or {entry["secretKey"] for entry in one.spec.get("data") or ()}
    for one in documents.of("Certificate"):
        if (one.namespace, one.spec.get("secretName")) == (namespace, name):
            return {"tls.crt", "tls.key", "ca.crt"}
    return None


def _wanted(owner: Resource) -> Iterator[tuple[str, str, object, list[str]]]:
    for path, node in mappings(owner.spec, "spec"):
        for field, kind in _KINDS.items():
            ref = node.get(field)
            if isinstance(ref, dict) and not ref.get("optional"):
                yield f"{path}.{field}", kind, ref.get("name"), [ref["key"]] if "key" in ref else []
            elif isinstance(ref, dict) and kind == "ConfigMap":  # a key may be absent, a name is still a name
                yield f"{path}.{field}", kind, ref.get("name"), []
        for field, (kind, named) in _VOLUMES.items():
            volume = node.get(field)
            if isinstance(volume, dict) and not volume.get("optional"):
                name = volume.get(named, volume.get("name"))
                yield f"{path}.{field}", kind, name, [item["key"] for item in volume.get("items") or ()]
        for pull in node.get("imagePullSecrets") or ():
            yield f"{path}.imagePullSecrets", "Secret", pull["name"], []
        yield from _token(path, node)


def _token(path: str, node: dict[str, Any]) -> Iterator[tuple[str, str, object, list[str]]]:
    name = at(node, "authOptions.secretName")
    if name:
        yield f"{path}.authOptions.secretName", "Secret", name, ["auth_token"]
