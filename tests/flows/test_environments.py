"""Environments: what a file says, what it leaves to the workspace, and what is refused by name."""

import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from features.errors import InputError
from flows.adapters.git import read_head
from flows.cli.environment import read_token
from flows.config.environments import Token
from flows.environments import Environment, environment
from flows.promotion.edit import serve_config
from flows.workspace import Workspace

SHIPPED = Path(__file__).parents[2] / "configs" / "environments.yaml"
CLUSTER = {
    "registry": "http://mlflow:5000",
    "bundles": "s3://bucket/bundles/",
    "repository": "git@github.com:me/it.git",
    "controller": "argocd",
    "namespace": "ml-dev",
    "probe": "http://anomaly-detector.local",
}


def write(folder: Path, **environments: Any) -> Path:
    file = folder / "written.yaml"
    file.write_text(yaml.safe_dump(environments))
    return file


def cluster(tmp_path: Path, **changes: Any) -> Environment:
    values = {key: value for key, value in (CLUSTER | changes).items() if value is not None}
    return environment("minikube", Workspace(tmp_path / "ws"), write(tmp_path, minikube=values))


def test_local_is_the_workspaces_own_and_its_repository_is_seeded_once(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path / "ws")
    workspace.prepare()
    found = environment("local", workspace)
    assert found.registry == workspace.registry_uri
    assert found.artifacts == workspace.artifacts.as_uri()
    assert found.bundles == (tmp_path / "ws" / "bundles").as_uri()
    assert (found.repository, found.branch) == (str(workspace.repository), "main")
    assert found.file == "manifests/overlays/local/rayservice-serve-config.yaml"
    assert (found.champion, found.previous) == ("champion-local", "previous-local")
    assert (found.controller, found.probe, found.allowed_disagreement_s) == ("reconcile", None, 600.0)
    count = ["git", "-C", found.repository, "rev-list", "--count", "main"]
    assert environment("local", workspace) == found
    assert subprocess.run(count, capture_output=True, text=True, check=True).stdout == "1\n"


def test_the_shipped_file_has_local_minikube_and_aws_and_local_needs_nothing(tmp_path: Path) -> None:
    assert list(yaml.safe_load(SHIPPED.read_text())) == ["local", "minikube", "aws"]
    (tmp_path / "empty.yaml").write_text("local:\n")
    workspace = Workspace(tmp_path / "ws")
    workspace.prepare()
    assert environment("local", workspace, SHIPPED) == environment("local", workspace, tmp_path / "empty.yaml")


@pytest.mark.parametrize(("name", "key"), [("minikube", "repository"), ("aws", "registry")])
def test_what_only_the_user_knows_must_be_filled_in_first(tmp_path: Path, name: str, key: str) -> None:
    with pytest.raises(InputError, match=rf"^{name}\.{key}: must be filled in first, in .*environments\.yaml, got "):
        environment(name, Workspace(tmp_path), SHIPPED)


@pytest.mark.parametrize("name", ["minikube", "aws"])
def test_filled_in_it_is_a_whole_environment(tmp_path: Path, name: str) -> None:
    filled = tmp_path / "filled.yaml"
    filled.write_text(SHIPPED.read_text().replace("FILL-IN", "mine"))
    found = environment(name, Workspace(tmp_path), filled)
    assert found.file == f"manifests/overlays/{name}/rayservice-serve-config.yaml"
    assert (found.controller, found.namespace, found.artifacts) == ("argocd", "ml-dev", None)
    assert found.tokens.pull_request is not None
    assert found.tokens.pull_request.variable == "GITHUB_TOKEN"
    assert not (tmp_path / "gitops.git").exists()


def test_a_workspace_has_a_file_of_its_own_and_a_named_one_comes_first(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path / "ws")
    workspace.prepare()
    (workspace.root / "environments.yaml").write_text("local: {branch: of-workspace}\n")
    named = write(tmp_path, local={"branch": "named"})
    assert environment("local", workspace, named).branch == "named"
    own = Workspace(tmp_path / "second")
    own.prepare()
    (own.root / "environments.yaml").write_text("local: {branch: of-workspace}\n")
    assert environment("local", own).branch == "of-workspace"


def test_a_store_is_named_without_its_last_slash(tmp_path: Path) -> None:
    assert cluster(tmp_path).bundle_uri("abc") == "s3://bucket/bundles/sha256/abc"


@pytest.mark.parametrize("name", ["prod", "local ", "../local", ""])
def test_an_unknown_environment_is_refused_with_the_known_ones(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match=r"^--env: must be one of: local, minikube, aws \(in .*\), got "):
        environment(name, Workspace(tmp_path), SHIPPED)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"registry": "file:///x"}, r"minikube\.registry: must start with sqlite:// or http:// or https://, got"),
        ({"registry": "http://"}, r"minikube\.registry: must name a host or bucket after http://, got 'http://'"),
        ({"bundles": "gs://bucket"}, r"minikube\.bundles: must start with file:// or s3://, got 'gs://bucket'"),
        ({"bundles": "s3:///prefix"}, r"minikube\.bundles: must name a host or bucket after s3://"),
        ({"endpoint": "minio:9000"}, r"minikube\.endpoint: must start with http:// or https://, got 'minio:9000'"),
        ({"repository": "here"}, r"minikube\.repository: must start with .* or / or user@host:, got 'here'"),
        ({"probe": "anomaly-detector.local"}, r"minikube\.probe: must start with http://"),
        ({"file": "../x.yaml"}, r"minikube\.file: must be a path inside the repository, got '\.\./x\.yaml'"),
        ({"branch": "-x"}, r"minikube\.branch: string should match pattern"),
        ({"application": ""}, r"minikube\.application: string should have at least 1 character"),
        ({"controller": "flux"}, r"minikube\.controller: input should be 'reconcile' or 'argocd', got 'flux'"),
        ({"allowed_disagreement": "soon"}, r"minikube\.allowed_disagreement: must be a duration .*got 'soon'"),
        ({"regsitry": "x"}, r"minikube\.regsitry: is not a known key; did you mean 'registry'\?"),
        ({"tokens": {"probe": {}}}, r"minikube\.tokens\.probe: must name either variable or file"),
        (
            {"probe": None, "namespace": None},
            r"^minikube: controller argocd needs namespace, probe: a cluster shares no workspace$",
        ),
        (
            {"bundles": None},
            r"^minikube: an MLflow server takes no version from a folder: with registry http, bundles must be s3://$",
        ),
    ],
)
def test_errors_name_field_rule_and_value(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        cluster(tmp_path, **changes)


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"registry": "https://me:hush@mlflow"}, "registry"),
        ({"repository": "https://hush@github.com/me/it.git"}, "repository"),
        ({"endpoint": "http://me:hush@minio"}, "endpoint"),
        ({"tokens": {"probe": {"variable": "ghp_hush"}}}, "tokens.probe.variable"),
    ],
)
def test_a_secret_is_refused_and_not_repeated(tmp_path: Path, changes: dict[str, Any], key: str) -> None:
    with pytest.raises(InputError, match=rf"^minikube\.{key}: must ") as caught:
        cluster(tmp_path, **changes)
    assert "hush" not in str(caught.value)


def test_the_seeded_manifest_keeps_cache_and_prediction_log_in_the_workspace(tmp_path: Path) -> None:
    found = environment("local", Workspace(tmp_path))
    _, text = read_head(found.repository, found.branch, found.file)
    (application,) = serve_config(text)["applications"]
    assert application["args"]["cache"]["folder"] == f"{tmp_path.as_uri()}/cache/serving"
    assert application["deployments"][0]["user_config"]["log"]["uri"] == f"{tmp_path.as_uri()}/predictions"
    assert "WORKSPACE" not in text


@pytest.mark.parametrize(
    "repository", ["/srv/it.git", "file:///srv/it.git", "ssh://git@host/it.git", "https://host/it.git", "host:it.git"]
)
def test_a_repository_is_whatever_git_clones(tmp_path: Path, repository: str) -> None:
    assert cluster(tmp_path, repository=repository).repository == repository


def test_a_token_is_read_from_its_variable_or_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("A_TOKEN", " hush\n")
    (tmp_path / "token").write_text("hush\n")
    assert read_token(Token(variable="A_TOKEN"), "f") == "hush"
    assert read_token(Token(file=tmp_path / "token"), "f") == "hush"
    assert read_token(None, "f") is None
    with pytest.raises(InputError, match=r"^f: the variable ABSENT_TOKEN must hold a token$"):
        read_token(Token(variable="ABSENT_TOKEN"), "f")
    with pytest.raises(InputError, match=r"^f: the file .*absent must be readable \(No such file or directory\)$"):
        read_token(Token(file=tmp_path / "absent"), "f")


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"^--environments: must name a readable file"):
        environment("local", Workspace(tmp_path), tmp_path / "absent.yaml")
    with pytest.raises(InputError, match=r"^local: must hold keys and values, got 'text'"):
        environment("local", Workspace(tmp_path), write(tmp_path, local="text"))
