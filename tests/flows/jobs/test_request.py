"""The RayJob that is submitted, and the reading of its log."""

import random
import shlex
import subprocess
import sys
from datetime import UTC, datetime
from typing import Any

import pytest

from features.errors import InputError
from flows.jobs.driver_log import DriverLog
from flows.jobs.request import JobRequest, entrypoint, job_name, ray_job
from flows.result_line import result_line

PINNED = f"ghcr.io/o/vigia-train@sha256:{'a' * 64}"
REQUEST = JobRequest("train", "train-1", "minikube", ("--set", "a.b=[c d]"), PINNED)
SAID = {"command": "train", "exit_code": 0, "error": "", "digest": "d", "version": "1", "run_id": "r"}
LINE = result_line({**SAID, "figures": {}, "paths": {}})


def template(**spec: Any) -> dict[str, Any]:
    pod = {"spec": {"initContainers": [{"image": "busybox:1"}], "containers": [{"image": "vigia-train"}]}}
    cluster = {"headGroupSpec": {"template": pod}, "workerGroupSpecs": [{"template": pod}]}
    given = {
        "entrypoint": "vigia train\n  --result-line",
        "submitterPodTemplate": pod,
        "rayClusterSpec": cluster,
        **spec,
    }
    return {"kind": "RayJob", "metadata": {"namespace": "x", "name": "train", "labels": {"a": "b"}}, "spec": given}


def test_a_rayjob_has_a_name_labels_image_and_arguments_of_its_own() -> None:
    made = ray_job(template(), REQUEST)
    labels = {"a": "b", "app.kubernetes.io/part-of": "vigia", "vigia/job": "train", "vigia/environment": "minikube"}
    assert made["metadata"] == {"name": "train-1", "labels": labels}
    assert made["spec"]["entrypoint"] == "vigia train --result-line --set 'a.b=[c d]'"
    pods = [
        made["spec"]["submitterPodTemplate"],
        made["spec"]["rayClusterSpec"]["headGroupSpec"]["template"],
        made["spec"]["rayClusterSpec"]["workerGroupSpecs"][0]["template"],
    ]
    assert [pod["spec"]["containers"][0]["image"] for pod in pods] == [PINNED] * 3
    assert [pod["spec"]["initContainers"][0]["image"] for pod in pods] == ["busybox:1"] * 3


def test_the_template_stays_as_it_was() -> None:
    given = template()
    ray_job(given, REQUEST)
    assert given == template()


@pytest.mark.parametrize("image", ["vigia-train", "o/vigia-train:0.1.0", "o/vigia-train@sha256:abc"])
def test_an_image_without_a_digest_is_refused(image: str) -> None:
    with pytest.raises(InputError, match=r"^--image: must be pinned by its digest"):
        ray_job(template(), JobRequest("train", "t", "e", (), image))


def test_a_job_on_a_running_cluster_takes_the_image_of_that_cluster() -> None:
    made = ray_job(template(clusterSelector={"ray.io/cluster": "c"}), JobRequest("train", "t", "e", (), "o/i:0.1.0"))
    assert made["spec"]["submitterPodTemplate"]["spec"]["containers"][0]["image"] == "o/i:0.1.0"


def test_an_image_that_nobody_tells_is_asked_for() -> None:
    with pytest.raises(InputError, match=r"^--image: must say what vigia-train is here"):
        ray_job(template(), JobRequest("train", "t", "e"))


@pytest.mark.parametrize("given", [{}, {"kind": "Job", "spec": {"entrypoint": "x"}}, template(entrypoint=" ")])
def test_a_template_of_something_else_is_refused(given: dict[str, Any]) -> None:
    with pytest.raises(InputError, match=r"^rayjob-train.yaml: must be a RayJob with an entrypoint"):
        ray_job(given, REQUEST)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({**template(), "metadata": None}, "must hold keys and values in metadata"),
        ({**template(), "metadata": {"labels": None}}, "must hold keys and values in metadata"),
        (template(submissionMode="HTTPMode"), "submissionMode must be K8sJobMode"),
        (template(submissionMode="InteractiveMode"), "submissionMode must be K8sJobMode"),
    ],
)
def test_a_template_that_somebody_broke_is_told(given: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError, match=rf"^rayjob-train.yaml: {words}"):
        ray_job(given, REQUEST)


def test_containers_that_are_none_are_left_to_the_api_server() -> None:
    broken = {"template": {"spec": {"containers": None, "initContainers": ["text"]}}}
    assert ray_job(template(rayClusterSpec={"headGroupSpec": broken}), REQUEST)["spec"]["rayClusterSpec"]


def test_a_kubelet_fills_nothing_into_arguments_and_a_shell_reads_them_as_they_were_given() -> None:
    given = ("--set", "a=$(HOME) $$HOME `id` 'q' \n$HOME")
    made = ray_job(template(entrypoint='echo "$WHERE"'), JobRequest("train", "t", "e", given, PINNED))
    line = made["spec"]["entrypoint"].replace("$$", "$")  # as a kubelet reads it
    assert "$(HOME" not in made["spec"]["entrypoint"].replace("$$", "")
    assert shlex.split(line) == ["echo", "$WHERE", *given]


def test_names_sort_by_time_and_fit() -> None:
    name = job_name("validate", datetime(2026, 11, 23, 20, 5, 1, tzinfo=UTC), "k3x9")
    assert (name, len(name) <= 47) == ("validate-20261123-200501-k3x9", True)


@pytest.mark.parametrize("seed", range(3))
def test_arguments_arrive_as_given_through_the_shells_of_kuberay_and_ray(seed: int) -> None:
    """KubeRay puts the entrypoint into a bash script of `ray job submit -- …`, which joins it for another shell."""
    chance = random.Random(seed)
    given = (*tuple("".join(chance.choices("ab=[]{}'\"\\$`*?; &|<>~!#()\n\té", k=12)) for _ in range(20)), "")
    script = f"printf '%s\\0' {entrypoint('', given)}"
    first = subprocess.run(["bash", "-ec", script], capture_output=True, check=True).stdout.decode().split("\0")[:-1]
    second = subprocess.run(["sh", "-c", f"printf '%s\\0' {shlex.join(first)}"], capture_output=True, check=True)
    assert tuple(second.stdout.decode().split("\0")[:-1]) == given


def test_whoever_submits_needs_neither_ray_nor_what_scores() -> None:
    """As the image `ops` has neither; `submit` reads the arguments of the command that the job runs."""
    names = [
        "cli.submit",
        "cli.train",
        "cli.validate",
        "cli.drift",
        "cli.cluster",
        "steps.jobs",
        "adapters.kubernetes_jobs",
    ]
    code = f"import sys, {', '.join(f'flows.{name}' for name in names)}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = {name.partition(".")[0] for name in done.stdout.split()}
    assert loaded & {"ray", "onnxruntime", "pandas", "torch", "scipy", "sklearn", "kubernetes", "mlflow"} == set()


def test_each_line_of_a_log_is_read_once() -> None:
    log, first = DriverLog().read("p", "a", ["T1 one", "T2 two", "T2 three"])
    log, second = log.read("p", "a", ["T2 two", "T2 three", "T2 four", "T3 five"])
    log, third = log.read("p", "a", ["T3 five"])
    assert (first, second, third) == (["one", "two", "three"], ["four", "five"], [])


def test_a_log_is_asked_for_from_the_second_of_its_last_line() -> None:
    log, _ = DriverLog().read("p", "a", ["2026-11-23T20:05:01.123456789Z one"])
    assert (log.since("p"), log.since("q")) == ("2026-11-23T20:05:01Z", "")


def test_the_result_is_kept_by_attempt_and_not_shown() -> None:
    log, shown = DriverLog().read("p", "a", ["T1 one", f"T2 {LINE}", "T3 bye"])
    assert shown == ["one", "bye"]
    assert (log.results["a"].digest, list(log.results)) == ("d", ["a"])
    assert DriverLog().read("p", "a", [f"T2 {LINE[:-9]}"])[1] == [LINE[:-9]]


def test_another_pod_begins_anew() -> None:
    log, _ = DriverLog().read("p", "a", ["T5 one"])
    assert log.read("q", "b", ["T1 one"])[1] == ["one"]


def test_lines_of_two_streams_that_are_out_of_order_are_all_read() -> None:
    log, shown = DriverLog().read("p", "a", ["T2 err", f"T1 {LINE}", "T1 out"])
    assert (shown, log.results["a"].digest) == (["out", "err"], "d")
    log, again = log.read("p", "b", ["T2 err", f"T1 {LINE}"])
    assert (again, log.results["b"].digest) == ([], "d")


def test_a_result_behind_a_progress_bar_counts_and_the_bar_is_shown_as_it_ended() -> None:
    log, shown = DriverLog().read("p", "a", ["T1 10%|#\r90%|##", f"T2 10%|#\r100%|###{LINE}", "T3 windows\r"])
    assert (shown, log.results["a"].digest) == (["90%|##", "100%|###", "windows"], "d")
    assert DriverLog().read("p", "a", ["T1 ends with `vigia-result: {…}`"])[1] == ["ends with `vigia-result: {…}`"]
