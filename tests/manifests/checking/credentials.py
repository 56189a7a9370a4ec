"""Rules: the git credential is in no Ray pod, and no value of a secret is in git."""

from collections.abc import Iterator

from tests.manifests.checking.documents import Documents
from tests.manifests.checking.finding import Finding
from tests.manifests.checking.pods import pods
from tests.manifests.checking.walking import mappings

GIT = "vigia-git-secret"


def git_credential_outside_ray(documents: Documents) -> Iterator[Finding]:
    """Whoever runs code on Ray could push: training code and its libraries are not trusted so far."""
    for pod in pods(documents):
        if not pod.ray:
            continue
        for path, node in mappings(pod.spec, f"{pod.path}.spec"):
            if GIT in (node.get("name"), node.get("secretName")):
                yield pod.owner.finding(path, "no git credential in a Ray pod", GIT)


def secret_without_value(documents: Documents) -> Iterator[Finding]:
    for secret in documents.of("Secret"):
        for field in ("data", "stringData"):
            for key, value in (secret.body.get(field) or {}).items():
                if value:
                    yield secret.finding(f"{field}.{key}", "no value in git", "one")
