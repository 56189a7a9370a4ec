"""Rule: words that Kubernetes knows, where its published schema takes any text."""

from collections.abc import Iterator

from tests.manifests.checking.documents import Documents
from tests.manifests.checking.finding import Finding
from tests.manifests.checking.walking import mappings

WORDS = {
    "imagePullPolicy": ("Always", "IfNotPresent", "Never"),
    "restartPolicy": ("Always", "OnFailure", "Never"),
    "concurrencyPolicy": ("Allow", "Forbid", "Replace"),
    "protocol": ("TCP", "UDP", "SCTP"),
    "dnsPolicy": ("ClusterFirst", "ClusterFirstWithHostNet", "Default", "None"),
    "podManagementPolicy": ("OrderedReady", "Parallel"),
    "whenUnsatisfiable": ("DoNotSchedule", "ScheduleAnyway"),
    "terminationMessagePolicy": ("File", "FallbackToLogsOnError"),
    "completionMode": ("NonIndexed", "Indexed"),
    "volumeMode": ("Filesystem", "Block"),
    "sessionAffinity": ("None", "ClientIP"),
    "externalTrafficPolicy": ("Cluster", "Local"),
    "fsGroupChangePolicy": ("OnRootMismatch", "Always"),
    "unhealthyPodEvictionPolicy": ("IfHealthyBudget", "AlwaysAllow"),
    "operator": ("In", "NotIn", "Exists", "DoesNotExist", "Equal", "Gt", "Lt"),
    "accessModes": ("ReadWriteOnce", "ReadOnlyMany", "ReadWriteMany", "ReadWriteOncePod"),
    "policyTypes": ("Ingress", "Egress"),
    "submissionMode": ("K8sJobMode", "HTTPMode", "InteractiveMode", "SidecarMode"),
    "scheme": ("HTTP", "HTTPS", "http", "https"),
}
TYPES = {
    ("Service", "spec"): ("ClusterIP", "NodePort", "LoadBalancer", "ExternalName"),
    ("Deployment", "spec.strategy"): ("Recreate", "RollingUpdate"),
    ("StatefulSet", "spec.updateStrategy"): ("OnDelete", "RollingUpdate"),
    ("RayService", "spec.upgradeStrategy"): ("NewCluster", "NewClusterWithIncrementalUpgrade", "None"),
}
# protocol means other things to Istio; secrets and maps hold any words
_CORE = ("v1", "apps/v1", "batch/v1", "autoscaling/v2", "policy/v1", "networking.k8s.io/v1", "ray.io/v1")


def known_word(documents: Documents) -> Iterator[Finding]:
    for resource in documents.resources:
        if resource.api not in _CORE:
            continue
        for path, node in mappings(resource.spec, "spec"):
            for field, words in WORDS.items():
                for value in _values(node.get(field)):
                    if value not in words:
                        yield resource.finding(f"{path}.{field}", f"one of {', '.join(words)}", value)
            known = TYPES.get((resource.kind, path))
            if known and "type" in node and node["type"] not in known:
                yield resource.finding(f"{path}.type", f"one of {', '.join(known)}", node["type"])


def _values(value: object) -> list[str]:
    if isinstance(value, list):
        return [one for one in value if isinstance(one, str)]
    return [value] if isinstance(value, str) else []
