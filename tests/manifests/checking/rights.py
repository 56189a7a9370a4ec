"""Rule: the words of a Role are words of the API, for one that is not gives no right and no error."""

from collections.abc import Iterator

from tests.manifests.checking.documents import Documents
from tests.manifests.checking.finding import Finding
from tests.manifests.checking.schemas import read_schema_file

VERBS = {"get", "list", "watch", "create", "update", "patch", "delete", "deletecollection"}
RESOURCES = {
    "": {"pods", "pods/log", "pods/exec", "services", "configmaps", "secrets", "events", "serviceaccounts/token"},
    "apps": {"deployments", "statefulsets", "replicasets"},
    "batch": {"jobs", "cronjobs"},
    "coordination.k8s.io": {"leases"},
    "events.k8s.io": {"events"},
}


def role_words(documents: Documents) -> Iterator[Finding]:
    """Kinds of groups without a schema here pass."""
    known = {group: set(names) for group, names in RESOURCES.items()}
    for entry in read_schema_file("index.json") or ():
        known.setdefault(entry["group"], set()).update((entry["plural"], f"{entry['plural']}/status"))
    for role in documents.of("Role", "ClusterRole"):
        for index, rule in enumerate(role.body.get("rules") or ()):
            for verb in set(rule.get("verbs") or ()) - VERBS:
                yield role.finding(f"rules[{index}].verbs", f"one of {', '.join(sorted(VERBS))}", verb)
            groups = [known[group] for group in rule.get("apiGroups") or () if group in known]
            for resource in rule.get("resources") or () if groups else ():
                if not any(resource in names for names in groups):
                    yield role.finding(f"rules[{index}].resources", "a resource of the groups", resource)
