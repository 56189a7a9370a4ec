"""Rules: what the Pod Security standard ``restricted`` asks of every pod; resources and a read-only root besides."""

from collections.abc import Iterator
from typing import Any

from tests.manifests.checking.documents import Documents
from tests.manifests.checking.finding import Finding
from tests.manifests.checking.pod import Pod
from tests.manifests.checking.pods import pods
from tests.manifests.checking.walking import at

_PROFILES = ("RuntimeDefault", "Localhost")
_VOLUMES = {"configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret"}
_SHARED = ("hostNetwork", "hostPID", "hostIPC")
_RESOURCES = ("requests.cpu", "requests.memory", "limits.memory")


def runs_as_non_root(documents: Documents) -> Iterator[Finding]:
    for pod, path, container in _containers(documents):
        if _either(pod, container, "runAsNonRoot") is not True:
            yield pod.owner.finding(f"{path}.securityContext.runAsNonRoot", "true here or on the pod", "no")
        if _either(pod, container, "runAsUser") == 0:
            yield pod.owner.finding(f"{path}.securityContext.runAsUser", "not root", 0)


def no_privilege_escalation(documents: Documents) -> Iterator[Finding]:
    for pod, path, container in _containers(documents):
        value = at(container, "securityContext.allowPrivilegeEscalation")
        if value is not False or at(container, "securityContext.privileged"):
            yield pod.owner.finding(f"{path}.securityContext.allowPrivilegeEscalation", "false", value)


def drops_capabilities(documents: Documents) -> Iterator[Finding]:
    for pod, path, container in _containers(documents):
        dropped = at(container, "securityContext.capabilities.drop", [])
        added = set(at(container, "securityContext.capabilities.add", [])) - {"NET_BIND_SERVICE"}
        if "ALL" not in dropped or added:
            path = f"{path}.securityContext.capabilities"
            yield pod.owner.finding(path, "drop ALL and add none", f"drop {dropped}, add {sorted(added)}")


def has_seccomp_profile(documents: Documents) -> Iterator[Finding]:
    for pod, path, container in _containers(documents):
        profile = _either(pod, container, "seccompProfile") or {}
        if profile.get("type") not in _PROFILES:
            path = f"{path}.securityContext.seccompProfile.type"
            yield pod.owner.finding(path, "RuntimeDefault or Localhost, here or on the pod", profile.get("type"))


def has_resources(documents: Documents) -> Iterator[Finding]:
    """Memory is limited; CPU need not be: a limit there slows a container down on an idle node."""
    for pod, path, container in _containers(documents):
        for name in _RESOURCES:
            if at(container, f"resources.{name}") is None:
                yield pod.owner.finding(f"{path}.resources.{name}", "given", "nothing")


def has_read_only_root(documents: Documents) -> Iterator[Finding]:
    for pod, path, container in _containers(documents):
        value = at(container, "securityContext.readOnlyRootFilesystem")
        if value is not True:
            yield pod.owner.finding(f"{path}.securityContext.readOnlyRootFilesystem", "true", value)


def shares_nothing_with_the_host(documents: Documents) -> Iterator[Finding]:
    for pod in pods(documents):
        for name in _SHARED:
            if pod.spec.get(name):
                yield pod.owner.finding(f"{pod.path}.spec.{name}", "false", True)
        for volume in pod.spec.get("volumes") or ():
            for source in sorted(set(volume) - {"name"} - _VOLUMES):
                yield pod.owner.finding(f"{pod.path}.spec.volumes[{volume['name']}]", "no volume of the host", source)
        for path, container in pod.containers():
            for port in container.get("ports") or ():
                if port.get("hostPort"):
                    yield pod.owner.finding(f"{path}.ports", "no port of the host", port["hostPort"])


def token_only_with_rights(documents: Documents) -> Iterator[Finding]:
    """A pod gets a token of the API server only where a Role is bound to its service account."""
    for pod in pods(documents):
        name = pod.spec.get("serviceAccountName", "default")
        account = documents.find("ServiceAccount", name, pod.namespace)
        given = account.body.get("automountServiceAccountToken", True) if account else True
        if pod.spec.get("automountServiceAccountToken", given) and not _bound(documents, name, pod.namespace):
            path = f"{pod.path}.spec.automountServiceAccountToken"
            yield pod.owner.finding(path, f"false, for no Role is bound to {name}", True)


def _containers(documents: Documents) -> Iterator[tuple[Pod, str, dict[str, Any]]]:
    return ((pod, path, container) for pod in pods(documents) for path, container in pod.containers())


def _either(pod: Pod, container: dict[str, Any], field: str) -> Any:
    """A field of the container's security context, else of its pod's."""
    own = at(container, f"securityContext.{field}")
    return own if own is not None else at(pod.spec, f"securityContext.{field}")


def _bound(documents: Documents, account: str, namespace: str) -> bool:
    return any(
        subject.get("name") == account and subject.get("namespace", binding.namespace) == namespace
        for binding in documents.of("RoleBinding", "ClusterRoleBinding")
        for subject in binding.body.get("subjects") or ()
    )
