"""scripts/1-config-cluster.sh: what it calls, that twice is safe, and that no secret is seen or changed."""

import re

import pytest

from tests.scripts.conftest import Bench, expected

TOKEN = "ghp_NeverShowThisToken"
WEBHOOK = "https://alerts.example/never-show-this"
SECRETS = {"GITHUB_TOKEN": TOKEN, "ALERT_WEBHOOK_URL": WEBHOOK}
MADE = ("kubectl apply --server-side --field-manager vigia-secrets", '  {"apiVersion":"v1","kind":"Secret"')


def test_the_first_run_calls_what_is_documented(bench: Bench) -> None:
    (bench.home / ".ssh/vigia_git_rsa").write_text("PRIVATE-KEY-OF-GIT\n")
    done = bench.run("1-config-cluster.sh", **SECRETS)
    assert done.returncode == 0, done.stderr
    calls = bench.calls()
    assert calls == expected("config-cluster", calls)


def test_the_second_run_makes_no_secret_and_nothing_else_differs(bench: Bench) -> None:
    bench.run("1-config-cluster.sh", **SECRETS)
    first = bench.calls().splitlines()
    done = bench.run("1-config-cluster.sh", **SECRETS)
    assert done.returncode == 0, done.stderr
    second = bench.calls().splitlines()
    assert second == [call for call in first if not call.startswith(MADE)]
    assert len(second) < len(first)


def test_no_secret_is_an_argument_or_said(bench: Bench) -> None:
    done = bench.run("1-config-cluster.sh", **SECRETS)
    seen = bench.calls() + done.stdout + done.stderr
    assert "ghcr-secret" in seen
    for secret in (TOKEN, WEBHOOK, "PRIVATE-KEY"):
        assert secret not in seen
    assert not re.search(r"\b[0-9a-f]{48}\b", seen)


def test_programs_that_are_called_do_not_inherit_the_token(bench: Bench) -> None:
    bench.stub("helm", 'env >>"$CALLS"')
    bench.run("1-config-cluster.sh", **SECRETS)
    assert "ALERT_WEBHOOK_URL" not in (calls := bench.calls())
    assert TOKEN not in calls
    assert "HOME=" in calls


def test_nothing_of_a_secret_is_left_behind(bench: Bench) -> None:
    before = set(bench.folder.iterdir())
    bench.run("1-config-cluster.sh", **SECRETS)
    assert set(bench.folder.iterdir()) - before == {bench.folder / "calls"}


def test_a_dry_run_says_what_it_would_do_and_changes_nothing(bench: Bench) -> None:
    done = bench.run("1-config-cluster.sh", "--dry-run", **SECRETS)
    assert done.returncode == 0, done.stderr
    changing = ("minikube", "helm", "kubectl apply", "kubectl wait", "kubectl rollout")
    calls = bench.calls().splitlines()
    assert not [call for call in calls if call.startswith(changing)]
    assert not [call for call in calls if call.startswith("kubectl create") and "--dry-run=client" not in call]
    for said in ("minikube start --cpus=6 --memory=12288 --driver=docker", "istio-ingress", "minio-mlflow-secret"):
        assert f"{said}" in done.stderr
    assert not list((bench.folder / "cluster").iterdir())


def test_every_version_is_that_of_the_one_file(bench: Bench) -> None:
    file = bench.checkout / "scripts/versions.env"
    file.write_text(re.sub(r"(?m)^(\w+)=(v?)[\d.]+$", r"\1=\g<2>7.8.9", file.read_text()))
    bench.run("1-config-cluster.sh")
    installs = [call for call in bench.calls().splitlines() if call.startswith("helm") or "install.yaml" in call]
    assert len(installs) == 10
    assert all("7.8.9" in call for call in installs)


def test_another_cluster_than_the_one_meant_is_refused(bench: Bench) -> None:
    done = bench.run("1-config-cluster.sh", "--context", "production")
    assert done.returncode == 2
    assert "kubectl's current context is 'minikube', not 'production'" in done.stderr
    assert "helm" not in bench.calls()


def test_a_docker_that_does_not_answer_is_named_before_anything_is_begun(bench: Bench) -> None:
    bench.stub("docker", "echo permission denied >&2; exit 1")
    done = bench.run("1-config-cluster.sh")
    assert done.returncode == 2
    assert "sudo usermod -aG docker" in done.stderr
    assert bench.calls() == "docker info\n"


@pytest.mark.parametrize(
    ("size", "said"),
    [("2000000000 12884901888", "has 2 CPUs and 12288 MiB"), ("6000000000 2147483648", "has 6 CPUs and 2048 MiB")],
)
def test_a_minikube_that_is_there_and_too_small_is_refused(bench: Bench, size: str, said: str) -> None:
    bench.stub("docker", f"echo {size}")
    done = bench.run("1-config-cluster.sh")
    assert done.returncode == 2
    assert said in done.stderr
    assert "minikube delete" in done.stderr
    assert not [call for call in bench.calls().splitlines() if not call.startswith("docker")]


@pytest.mark.parametrize("size", ["6000000000 12884901888", "0 0"])
def test_a_minikube_that_is_there_and_large_enough_is_started(bench: Bench, size: str) -> None:
    bench.stub("docker", f"echo {size}")
    done = bench.run("1-config-cluster.sh")
    assert done.returncode == 0, done.stderr
    assert "minikube start --cpus=6 --memory=12288 --driver=docker" in bench.calls()


def test_a_minikube_of_another_name_needs_neither_docker_nor_minikube(bench: Bench) -> None:
    done = bench.run("1-config-cluster.sh", "--context", "minikube")
    assert "minikube -p minikube addons enable" in done.stderr
    assert not [call for call in bench.calls().splitlines() if call.startswith(("docker", "minikube"))]


def test_kinds_that_helm_would_leave_as_they_are_come_before_the_charts_that_need_them(bench: Bench) -> None:
    bench.run("1-config-cluster.sh")
    calls = bench.calls().splitlines()
    for chart in ("kube-prometheus-stack", "kuberay-operator"):
        [shown] = [i for i, call in enumerate(calls) if call.startswith(f"helm show crds {chart} ")]
        assert calls[shown + 1] == "kubectl apply --server-side --force-conflicts --filename -"
        assert calls[shown + 2] == f'  {{"kind":"CustomResourceDefinition","of":"{chart}"}}'
        assert shown < min(i for i, call in enumerate(calls) if call.startswith("helm upgrade"))


def test_without_the_deploy_key_nothing_is_begun(bench: Bench) -> None:
    (bench.home / ".ssh/argocd_rsa").unlink()
    done = bench.run("1-config-cluster.sh")
    assert done.returncode == 2
    assert "ssh-keygen -t rsa -b 4096" in done.stderr
    assert bench.calls() == ""


def test_manifests_that_name_no_repository_are_filled_in_and_the_run_stops_for_a_commit(fresh: Bench) -> None:
    for name in ("kubectl", "helm", "minikube", "docker"):
        fresh.stub(name)
    done = fresh.run("1-config-cluster.sh")
    assert done.returncode == 2
    assert "commit and push, then run this again" in done.stderr
    assert fresh.calls() == ""
    assert "git@github.com:Acme/anomaly-detection-system.git" in done.stdout


def test_a_chart_that_does_not_come_up_stops_the_run(bench: Bench) -> None:
    bench.stub("helm", 'case "$*" in *cert-manager*) exit 1 ;; esac')
    done = bench.run("1-config-cluster.sh")
    assert done.returncode != 0
    assert "argocd" not in "".join(
        call for call in bench.calls().splitlines() if "apply" in call and "namespace" in call
    )


def test_a_secret_that_lacks_a_key_is_named_and_not_mended_by_itself(bench: Bench) -> None:
    (bench.folder / "cluster/ml-dev").write_text("postgresql-mlflow-secret POSTGRES_PASSWORD\n")
    done = bench.run("1-config-cluster.sh")
    assert done.returncode == 1
    assert "ml-dev/postgresql-mlflow-secret lacks POSTGRES_USER" in done.stderr
    assert '"namespace":"ml-dev"' not in bench.calls()


def test_manifests_that_are_not_pushed_are_spoken_of(bench: Bench) -> None:
    bench.git("update-ref", "refs/remotes/origin/main", "HEAD")
    assert "Argo CD reads that: push" not in bench.run("1-config-cluster.sh").stderr
    bench.git("update-ref", "refs/remotes/origin/main", "HEAD~1")
    assert "Argo CD reads that: push" in bench.run("1-config-cluster.sh").stderr
