"""Commands of runbooks, docs/TROUBLESHOOTING.md and docs/kubernetes.md: what they name exists."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.manifests.checking.pods import pods
from tests.manifests.checking.rendering import ROOT, rendered
from tests.manifests.checking.services import services

FILES = [
    *(ROOT / "docs" / f"{name}.md" for name in ("TROUBLESHOOTING", "kubernetes")),
    *sorted((ROOT / "docs" / "runbooks").glob("*.md")),
]
OF_THE_OPERATOR = {"ray.io/serve": "true", "ray.io/originated-from-cr-name": "anomaly-detector"}
_OURS = re.compile(r"kubectl -n ml-dev (.+)")
_LABEL = re.compile(r"-l ([\w./-]+)=([\w-]+)")
_NAMED = re.compile(r"\b(?:get|describe|patch|exec|port-forward|undo|restart) (\w+)[/ ]([a-z][\w-]*)\b(?!=)")
_KINDS = {
    "cm": "ConfigMap",
    "deploy": "Deployment",
    "deployment": "Deployment",
    "networkpolicy": "NetworkPolicy",
    "podmonitor": "PodMonitor",
    "rayservice": "RayService",
    "svc": "Service",
}


def commands(file: Path) -> Iterator[str]:
    """Commands in the namespace of ours, up to a comment or the end of a code span."""
    for found in _OURS.findall(file.read_text()):
        yield re.split(r"\s{2,}#|`", found)[0]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_something_has_the_label_that_a_command_selects_by(file: Path) -> None:
    documents = rendered("minikube")
    labelled = [*pods(documents), *documents.resources]
    there = {pair for one in labelled for pair in one.labels.items()} | set(OF_THE_OPERATOR.items())
    for command in commands(file):
        for pair in _LABEL.findall(command):
            assert pair in there, command


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_an_object_that_a_command_names_exists(file: Path) -> None:
    documents = rendered("minikube")
    made = {one.name for one in services(documents)}
    for command in commands(file):
        for kind, name in _NAMED.findall(command):
            if kind in _KINDS:
                assert documents.find(_KINDS[kind], name, "ml-dev") or name in made, command


@pytest.mark.parametrize("overlay", ["minikube", "aws"])
def test_the_gateway_writes_the_log_that_runbooks_read(overlay: str) -> None:
    """Istio writes no access log unless it is told to."""
    reading = [file.stem for file in FILES if "-n istio-system logs -l istio=ingress" in file.read_text()]
    assert "VigiaGatewayErrors" in reading
    (told,) = (one.spec for one in rendered(overlay).of("Telemetry") if one.namespace == "istio-system")
    assert told["selector"]["matchLabels"] == {"istio": "ingress"}
    (log,) = told["accessLogging"]
    assert [one["name"] for one in log["providers"]] == ["envoy"]
    assert log["filter"]["expression"] == "response.code >= 400"
