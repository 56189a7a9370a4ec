"""What the repository offers to those who know the documented set-up: versions, objects, calls of the scripts."""

import re
from functools import cache
from pathlib import Path

from tests.manifests.checking.documents import Documents, Resource
from tests.manifests.checking.pods import pods
from tests.manifests.checking.rendering import rendered
from tests.manifests.checking.walking import matches

ROOT = Path(__file__).parents[3]
NAMESPACE = "ml-dev"


def minikube() -> Documents:
    return rendered("minikube")


def resource(kind: str, name: str, overlay: str = "minikube") -> Resource:
    """The one of a kind and name. AssertionError where there is none, or more."""
    found = [one for one in rendered(overlay).of(kind) if one.name == name]
    assert len(found) == 1, f"{overlay}: {len(found)} are {kind} {name}"
    return found[0]


def ports(service: str) -> set[int]:
    return {port["port"] for port in resource("Service", service).spec["ports"]}


def labelled(labels: dict[str, str]) -> set[str]:
    """Names of what makes the pods of Minikube with these labels."""
    return {pod.owner.name for pod in pods(minikube()) if matches(labels, pod.labels)}


@cache
def versions() -> dict[str, str]:
    text = (ROOT / "scripts" / "versions.env").read_text()
    return dict(re.findall(r"^(\w+)=(\S+)$", text, re.MULTILINE))


@cache
def calls() -> str:
    """Every call that the tests of the two scripts hold them to, a line each."""
    files = sorted((ROOT / "tests" / "scripts" / "golden").rglob("*.txt"))
    assert files, "the scripts have no golden calls"
    return "\n".join(file.read_text() for file in files)


def numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version)[:3])
