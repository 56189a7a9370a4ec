"""`vigia submit` and `vigia jobs` on a cluster: the real commands and client, a fake API, a scripted operator."""

import json
import os
import shlex
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from flows.cli.main import main
from tests.fakes.kubernetes.access import Rule, User
from tests.fakes.kubernetes.kinds import schema_folder
from tests.fakes.kubernetes.server import Cluster
from tests.flows.cluster.submitting import Operator, fails, operating, said, succeeds

pytestmark = pytest.mark.skipif(schema_folder() is None, reason="no schemas of custom kinds: `make schemas`")
ROOT = Path(__file__).parents[3]
PINNED = f"ghcr.io/o/vigia-train@sha256:{'a' * 64}"
JOBS = "manifests/base/schedules/rayjob-templates.yaml"
ENVIRONMENT = {
    "registry": "http://127.0.0.1:5000",
    "bundles": "s3://bundles",
    "repository": "git@example.org:o/n.git",
    "controller": "argocd",
    "namespace": "ml-dev",
    "probe": "http://example.org",
}


@dataclass
class Shell:
    """Commands against one cluster."""

    cluster: Cluster
    folder: Path
    capture: pytest.CaptureFixture[str]

    def __call__(self, *words: str) -> tuple[int, str, str]:
        """Exit code, what was said, and the errors."""
        code = main(self.words(*words))
        told = self.capture.readouterr()
        return code, told.out, told.err

    def words(self, *words: str) -> list[str]:
        places = ["--environments", str(self.folder / "environments.yaml"), "--workspace", str(self.folder / "ws")]
        return [words[0], *words[1:], "--env", "fake", *places]

    def jobs(self) -> list[dict[str, Any]]:
        kind = self.cluster.fake.kind("ray.io/v1", "RayJob")
        return self.cluster.fake.store.list(kind, "ml-dev")


@pytest.fixture
def shell(
    cluster: Cluster, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Shell:
    (tmp_path / "environments.yaml").write_text(json.dumps({"fake": ENVIRONMENT}))
    monkeypatch.setenv("KUBECONFIG", str(cluster.kubeconfig()))
    found = Shell(cluster, tmp_path, capsys)
    for kind in (cluster.fake.kind("ray.io/v1", "RayJob"), cluster.fake.kind("v1", "ConfigMap")):
        for one in cluster.fake.store.list(kind, "ml-dev"):
            cluster.fake.store.write(kind, one, "DELETED")
    cluster.fake.make(templates() | {"metadata": {"name": "rayjob-templates", "namespace": "ml-dev"}})
    return found


@cache
def templates() -> dict[str, Any]:
    """The ConfigMap as the manifests have it."""
    found: dict[str, Any] = yaml.safe_load((ROOT / JOBS).read_text())
    return found


def later(act: Callable[[], object], seconds: float = 0.5) -> None:
    threading.Timer(seconds, act).start()


def test_a_job_is_submitted_with_name_labels_image_and_arguments(shell: Shell) -> None:
    code, out, _ = shell("submit", "train", "--set", "search.trials=4", "--image", PINNED, "s3://data/a b.parquet")
    (job,) = shell.jobs()
    name = job["metadata"]["name"]
    assert (code, len(name) <= 47, name.split("-")[0]) == (0, True, "train")
    there = shlex.join(shell.words("")[1:])
    assert out.splitlines()[-1].endswith(f"jobs logs {name} --follow {there}"), "each option once"
    labels = job["metadata"]["labels"]
    assert (labels["vigia/job"], labels["vigia/environment"]) == ("train", "fake")
    assert job["spec"]["entrypoint"].endswith("--result-line 's3://data/a b.parquet' --set search.trials=4")
    assert job["spec"]["rayClusterSpec"]["headGroupSpec"]["template"]["spec"]["containers"][0]["image"] == PINNED


@pytest.mark.parametrize("command", ["train", "validate", "drift"])
def test_every_template_makes_a_rayjob_that_the_api_takes(shell: Shell, command: str) -> None:
    assert shell("submit", command, "--image", PINNED)[0] == 0


def test_the_image_is_that_of_the_shared_cluster_by_the_digest_that_runs(shell: Shell) -> None:
    container = {"name": "ray-head", "image": "ghcr.io/o/vigia-train:0.1.0"}
    head = {"rayStartParams": {}, "template": {"spec": {"containers": [container]}}}
    meta = {"name": "ray-cluster", "namespace": "ml-dev"}
    fake = shell.cluster.fake
    made = fake.make(
        {"apiVersion": "ray.io/v1", "kind": "RayCluster", "metadata": meta, "spec": {"headGroupSpec": head}}
    )
    code, _, err = shell("submit", "train")
    assert (code, "must be pinned by its digest" in err) == (2, True)
    labels = {"ray.io/cluster": "ray-cluster", "ray.io/node-type": "head"}
    pod = {"metadata": {"name": "h", "namespace": "ml-dev", "labels": labels}, "spec": {"containers": [container]}}
    running = {"name": "ray-head", "image": container["image"], "imageID": f"docker-pullable://{PINNED}"}
    fake.make({"apiVersion": "v1", "kind": "Pod", **pod, "status": {"containerStatuses": [running]}})
    assert shell("submit", "train")[0] == 0
    assert PINNED in json.dumps(shell.jobs()[0])
    fake.store.write(fake.kind("ray.io/v1", "RayCluster"), made, "DELETED")


def test_a_job_that_is_waited_for_shows_its_log_and_ends_with_its_outcome(shell: Shell, tmp_path: Path) -> None:
    summary = tmp_path / "summary.json"
    with operating(shell.cluster, succeeds(figures={"model": "pump"})):
        code, out, _ = shell("submit", "train", "--image", PINNED, "--wait", "--summary", str(summary))
    assert code == 0
    assert [line for line in out.splitlines() if "words" in line] == ["first words", "last words"]
    assert "vigia-result" not in out
    assert "promote --version 3 --env fake --model pump " in out
    told = json.loads(summary.read_text())
    assert (told["digest"], told["version"], told["run_id"]) == ("d" * 64, "3", "r")


@pytest.mark.parametrize("code", [3, 10, 11])
def test_a_verdict_of_the_job_is_the_exit_code(shell: Shell, code: int) -> None:
    with operating(shell.cluster, succeeds(code, error="the gate says no")):
        found, _, err = shell("submit", "train", "--image", PINNED, "--wait")
    assert (found, "the gate says no" in err) == (code, code == 3)


def test_a_failure_of_the_job_is_told_in_its_words_under_its_code(shell: Shell) -> None:
    with operating(shell.cluster, fails(said(2, error="data.uri: must exist"))):
        code, _, err = shell("submit", "train", "--image", PINNED, "--wait")
    assert (code, "data.uri: must exist" in err) == (2, True)


def test_a_rayjob_that_the_operator_refuses_is_bad_input(shell: Shell) -> None:
    with operating(shell.cluster, lambda one: one.status("ValidationFailed", message="name too long")):
        code, _, err = shell("submit", "train", "--image", PINNED, "--wait")
    assert (code, "the operator refuses it: ValidationFailed: name too long" in err) == (2, True)


def test_a_job_that_nobody_runs_is_given_up_and_may_be_returned_to(shell: Shell) -> None:
    code, _, err = shell("submit", "train", "--image", PINNED, "--wait", "--timeout", "1")
    assert (code, "no end after 1 s (no operator has looked at it yet)" in err) == (4, True)


def test_the_watch_survives_a_restart_of_the_api_a_cut_and_a_version_that_is_forgotten(shell: Shell) -> None:
    def script(operator: Operator) -> None:
        operator.status("Initializing", attempt="a")
        shell.cluster.fake.troubles.cut()
        time.sleep(0.3)
        shell.cluster.stop()
        shell.cluster.fake.store.compact()
        operator.status("Running", "RUNNING", "a")
        time.sleep(0.3)
        shell.cluster.start()
        shell.cluster.fake.troubles.failures += [503, 500, 429]
        succeeds()(operator)

    with operating(shell.cluster, script):
        code, out, _ = shell("submit", "train", "--image", PINNED, "--wait")
    assert code == 0
    assert [line for line in out.splitlines() if "words" in line] == ["first words", "last words"]


def test_an_api_that_knows_nobody_while_it_starts_ends_no_watch(shell: Shell) -> None:
    def script(operator: Operator) -> None:
        operator.pod("a").write("first words")
        operator.status("Running", "RUNNING", "a")
        time.sleep(1)  # it has been looked at
        shell.cluster.fake.troubles.failures += [403, 401, 403]
        time.sleep(0.3)
        operator.status("Complete", "SUCCEEDED", "a")
        shell.cluster.fake.logs["ml-dev", f"{operator.job['metadata']['name']}-0", "ray-job-submitter"].write(said(0))

    with operating(shell.cluster, script):
        assert shell("submit", "train", "--image", PINNED, "--wait")[0] == 0


def test_a_try_that_fails_and_is_made_again_counts_by_its_last(shell: Shell) -> None:
    def script(operator: Operator) -> None:
        operator.pod("a").write("words of the first", said(4, error="store away"))
        operator.status("Retrying", "FAILED", "a", failed=1)
        time.sleep(0.1)
        operator.pod("b", 1).write("words of the second", said(0))
        operator.status("Complete", "SUCCEEDED", "b", failed=1, succeeded=1)

    with operating(shell.cluster, script):
        code, out, _ = shell("submit", "train", "--image", PINNED, "--wait")
    assert (code, "words of the first" in out, "words of the second" in out) == (0, True, True)


def test_jobs_are_listed_shown_followed_and_stopped(shell: Shell) -> None:
    with operating(shell.cluster, succeeds()):
        assert shell("submit", "drift", "--image", PINNED, "--wait")[0] == 0
    name = shell.jobs()[0]["metadata"]["name"]
    assert f"{name:<34} drift" in shell("jobs", "list")[1]
    code, out, _ = shell("jobs", "logs", name)
    assert (code, "last words" in out, "Complete, SUCCEEDED" in out) == (0, True, True)
    assert shell("jobs", "logs", name, "--follow")[0] == 0
    code, out, _ = shell("jobs", "stop", name)
    assert (code, f"{name}, which had ended already (Complete, SUCCEEDED)" in out) == (0, True)
    assert shell.jobs() == []
    for words in (("logs", name), ("logs", name, "--follow"), ("stop", name)):
        code, _, err = shell("jobs", *words)
        assert (
            code,
            f"job: must be one that `vigia jobs list` shows; it may have been deleted, got '{name}'" in err,
        ) == (
            2,
            True,
        )


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("train", "--bogus"), "the rest must be arguments of vigia train, got '--bogus'"),
        (("train", "--set", "search"), "--set: must be written key.subkey=value"),
        (("train", "--set", "serch.trials=8"), "serch: is not a known key; did you mean 'search'?"),
        (("validate", "README.md"), "is of this machine, which a job on a cluster does not see"),
        (("train", "--config", "pyproject.toml"), "is of this machine"),
        (("train", "--config=pyproject.toml"), "is of this machine"),
        (("train", "--set", "data.uri=tests"), "is of this machine"),
        (("drift", "tests/*.py"), "is of this machine"),
        (("drift", f"file://{ROOT}/README.md"), "is of this machine"),
        (("drift", "--bundle", "tests"), "is of this machine"),
        (("drift", "--data", "README.md"), "is of this machine"),
        (("train", "--wait", "--timeout", "nan"), "--timeout: must be above 0"),
        (("train", "--image", "vigia-train:0.1.0"), "--image: must be pinned by its digest"),
        (("train",), "--image: must say what vigia-train is here"),
        (("train", "--wait", "--timeout", "0"), "--timeout: must be above 0"),
        (("train", "--address", "http://x"), "--address: is for --env local; fake is a cluster"),
        (("train", "--templates", "/nowhere"), "--templates: must be a file or an overlay"),
    ],
)
def test_what_cannot_be_submitted_is_told_at_once(
    shell: Shell, words: tuple[str, ...], told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    code, _, err = shell("submit", *words)
    assert (code, told in err) == (2, True), err
    assert shell.jobs() == []


def test_templates_can_be_those_of_a_file(shell: Shell, tmp_path: Path) -> None:
    given = yaml.safe_load((ROOT / JOBS).read_text())
    given["data"]["rayjob-train.yaml"] = given["data"]["rayjob-train.yaml"].replace(
        "vigia train", "vigia train --quiet"
    )
    (tmp_path / "t.yaml").write_text(f"kind: Secret\n---\n{yaml.safe_dump(given)}")
    assert shell("submit", "train", "--image", PINNED, "--templates", str(tmp_path / "t.yaml"))[0] == 0
    assert shell.jobs()[0]["spec"]["entrypoint"].startswith("vigia train --quiet")


def test_an_image_for_a_job_on_a_cluster_that_runs_already_would_not_be_what_runs(shell: Shell, tmp_path: Path) -> None:
    given = yaml.safe_load((ROOT / JOBS).read_text())
    job = yaml.safe_load(given["data"]["rayjob-train.yaml"])
    job["spec"]["clusterSelector"] = {"ray.io/cluster": "ray-cluster"}
    given["data"]["rayjob-train.yaml"] = yaml.safe_dump(job)
    (tmp_path / "t.yaml").write_text(yaml.safe_dump(given))
    code, _, err = shell("submit", "train", "--image", PINNED, "--templates", str(tmp_path / "t.yaml"))
    assert (code, "--image: is for a job with a cluster of its own" in err, shell.jobs()) == (2, True, [])


def test_templates_that_are_not_there_are_asked_for(shell: Shell) -> None:
    fake = shell.cluster.fake
    kind = fake.kind("v1", "ConfigMap")
    fake.store.write(kind, fake.store.list(kind, "ml-dev")[0], "DELETED")
    code, _, err = shell("submit", "train", "--image", PINNED)
    assert (code, "rayjob-templates: the ConfigMap must be in namespace ml-dev" in err) == (2, True)


def test_a_namespace_that_is_not_there_is_named(shell: Shell) -> None:
    (shell.folder / "environments.yaml").write_text(json.dumps({"fake": ENVIRONMENT | {"namespace": "ml-dve"}}))
    for words in (("jobs", "list"), ("submit", "train", "--image", PINNED)):
        code, _, err = shell(*words)
        assert (code, "namespace: must exist in the cluster, got 'ml-dve'" in err) == (2, True), err


def test_the_role_of_the_cronjobs_is_enough(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    roles = yaml.safe_load_all((ROOT / "manifests/base/schedules/role.yaml").read_text())
    rules = next(one for one in roles if one["kind"] == "Role")["rules"]
    monkeypatch.setenv("KUBECONFIG", str(shell.cluster.kubeconfig("ops")))
    shell.cluster.fake.access.users["ops"] = User(
        "vigia-ops",
        tuple(Rule(tuple(r["verbs"]), tuple(r["apiGroups"]), tuple(r["resources"]), "ml-dev") for r in rules),
    )
    assert "Jobs       0" in shell("jobs", "list")[1]
    with operating(shell.cluster, succeeds()):
        assert shell("submit", "train", "--image", PINNED, "--wait")[0] == 0
    name = shell.jobs()[0]["metadata"]["name"]
    assert shell("jobs", "list")[0] == shell("jobs", "stop", name)[0] == 0


def test_a_job_whose_making_was_not_answered_is_there_once(shell: Shell) -> None:
    shell.cluster.fake.troubles.lost = 1
    assert shell("submit", "train", "--image", PINNED)[0] == 0
    assert len(shell.jobs()) == 1


def test_where_nobody_can_tell_whether_a_job_was_made_it_is_named(shell: Shell) -> None:
    shell.cluster.fake.troubles.lost = 1
    shell.cluster.fake.troubles.failures += [0, 0, 503]  # the template, the making, the look after it
    code, _, err = shell("submit", "train", "--image", PINNED)
    name = shell.jobs()[0]["metadata"]["name"]
    assert (code, f"whether {name} was made is not known; `vigia jobs list` tells" in err) == (4, True)


def test_a_log_that_may_not_be_read_is_told_and_the_job_goes_on(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    rules = (Rule(groups=("ray.io",)), Rule(groups=("",), resources=("pods", "configmaps")))
    shell.cluster.fake.access.users["blind"] = User("blind", rules)
    monkeypatch.setenv("KUBECONFIG", str(shell.cluster.kubeconfig("blind")))
    with operating(shell.cluster, succeeds()):
        code, _, err = shell("submit", "train", "--image", PINNED, "--wait")
    assert (code, "blind may not get pods" in err, "is left alone, `vigia jobs logs train-" in err) == (4, True, True)


def test_ctrl_c_leaves_the_job_running_and_says_how_to_return(shell: Shell) -> None:
    words = shell.words("submit", "train", "--image", PINNED, "--wait")
    signal.signal(signal.SIGINT, signal.default_int_handler)  # background jobs of a shell ignore it
    with subprocess.Popen(
        [sys.executable, "-m", "flows", *words], cwd=ROOT, stdout=subprocess.PIPE, text=True, env={**os.environ}
    ) as process:
        end = time.monotonic() + 60
        while not shell.jobs() and time.monotonic() < end:
            time.sleep(0.1)
        time.sleep(1)
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=30)
    name = shell.jobs()[0]["metadata"]["name"]
    assert process.returncode == 130
    there = shlex.join(words[-6:])  # --env, --environments, --workspace: without them it is found nowhere
    assert f"{name} goes on; `vigia jobs logs {name} --follow {there}` returns to it" in out
    assert f"`vigia jobs stop {name} {there}` ends it" in out
