"""Commands for an environment that a cluster serves: what they reach it by, and what they refuse."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from features.errors import InputError
from flows.cli.cluster import cluster_of, doors_of, service_of
from flows.cli.main import main
from flows.environments import Environment, environment
from flows.exit_codes import ExitCode
from flows.steps.doors import open_doors
from flows.workspace import Workspace
from tests.fakes.kubernetes.server import Cluster, kubernetes_api

PLACE = {
    "bundles": "file:///nowhere",
    "controller": "argocd",
    "namespace": "ml-dev",
    "probe": "http://anomaly-detector.local/",
}


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with kubernetes_api(groups=()) as found:
        yield found


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """One whose local environment is the repository and the registry of the cluster's."""
    found = Workspace(tmp_path / "ws")
    found.prepare()
    environment("local", found)
    return found


def described(workspace: Workspace, **changes: Any) -> tuple[Environment, Path]:
    """The environment `local`, as if a cluster served it, and the file that says so."""
    own = {"registry": workspace.registry_uri, "repository": str(workspace.repository)}
    file = workspace.root / "environments.yaml"
    file.write_text(yaml.safe_dump({"local": own | PLACE | changes}))
    return environment("local", workspace, file), file


def test_inside_the_cluster_the_dashboard_is_that_of_the_rayservices_head(workspace: Workspace) -> None:
    place, _ = described(workspace)
    api = service_of(place, workspace)
    assert api.dashboard == "http://anomaly-detector-head-svc.ml-dev:8265"
    assert (api.url, api.token, api.bearer) == ("http://anomaly-detector.local", "", "")


def test_a_dashboard_and_both_tokens_may_be_named(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAYS", "of-ray")
    monkeypatch.setenv("PROBES", "of-the-issuer")
    tokens = {"dashboard": {"variable": "RAYS"}, "probe": {"variable": "PROBES"}}
    place, _ = described(workspace, dashboard="http://127.0.0.1:8265/", tokens=tokens)
    api = service_of(place, workspace)
    assert (api.dashboard, api.token, api.bearer) == ("http://127.0.0.1:8265", "of-ray", "of-the-issuer")
    monkeypatch.delenv("RAYS")
    with pytest.raises(InputError, match=r"local\.tokens\.dashboard: the variable RAYS must hold a token"):
        service_of(place, workspace)


@pytest.mark.parametrize("probe", ["http://127.0.0.1:8000", "http://localhost:8000/", "http://[::1]:8000"])
def test_a_port_forward_is_not_the_way_that_requests_take(workspace: Workspace, probe: str) -> None:
    place, _ = described(workspace, probe=probe)
    with pytest.raises(InputError, match=r"local\.probe: must be the way that requests take"):
        doors_of(place, workspace)


def test_what_argo_cd_applies_nobody_else_does(workspace: Workspace) -> None:
    place, _ = described(workspace)
    with pytest.raises(InputError, match=r"local\.controller: must be reconcile"):
        open_doors(place, workspace)


def test_without_a_kubeconfig_it_is_said_what_to_name(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBECONFIG", str(workspace.root / "none"))
    place, _ = described(workspace)
    with pytest.raises(InputError, match="KUBECONFIG: must name a kubeconfig"):
        cluster_of(place)


def test_status_says_of_each_side_why_it_could_not_be_asked(
    workspace: Workspace, cluster: Cluster, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("KUBECONFIG", str(cluster.kubeconfig()))
    away = {"probe": "http://127.0.0.1:1", "dashboard": "http://127.0.0.1:1"}
    _, file = described(workspace, **away)
    code = main(["status", "--environments", str(file), "--workspace", str(workspace.root)])
    said = capsys.readouterr().out
    assert code == ExitCode.RETRY
    assert "does not know rayservices.ray.io: install its operator" in said
    assert "says nothing: kubernetes: this cluster does not know applications.argoproj.io" in said
    assert "http://127.0.0.1:1 is a port-forward" in said
