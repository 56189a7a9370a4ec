"""KubeRay for one RayJob at a time: its status, its submitter's pod and log, by the script of a test."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from flows.result_line import result_line
from tests.fakes.kubernetes.kinds import Kind
from tests.fakes.kubernetes.logs import Log
from tests.fakes.kubernetes.server import Cluster

Json = dict[str, Any]
_TURN_S = 0.05


def said(code: int, **told: Any) -> str:
    """The last line of a job's log."""
    known = {"command": "train", "error": "", "digest": "d" * 64, "version": "3", "run_id": "r", "figures": {}}
    return result_line({**known, "exit_code": code, "paths": {}, **told})


@dataclass
class Operator:
    """``job``: the RayJob it works on; ``script``: what it does with it, in a thread of its own."""

    cluster: Cluster
    script: Callable[["Operator"], None]
    job: Json = field(default_factory=dict)

    def status(self, deployment: str, job: str = "", attempt: str = "", **more: Any) -> None:
        """Write a status."""
        told = {"jobDeploymentStatus": deployment, "jobStatus": job, "jobId": attempt, **more}
        self.cluster.fake.status(self.job, told)

    def pod(self, attempt: str, number: int = 0) -> Log:
        """A submitter's pod, and its log."""
        name, namespace = f"{self.job['metadata']['name']}-{number}", self.job["metadata"]["namespace"]
        env = [{"name": "RAY_JOB_SUBMISSION_ID", "value": attempt}]
        container = {"name": "ray-job-submitter", "image": "none:0", "env": env}
        labels = {"job-name": self.job["metadata"]["name"]}
        pod = {
            "metadata": {"name": name, "namespace": namespace, "labels": labels},
            "spec": {"containers": [container]},
        }
        self.cluster.fake.make({"apiVersion": "v1", "kind": "Pod", **pod})
        log = self.cluster.fake.logs[namespace, name, "ray-job-submitter"] = Log()
        return log

    def run(self, stop: threading.Event) -> None:
        """Wait for a RayJob without a status, and follow the script."""
        kind = self.kind()
        while not stop.wait(_TURN_S):
            new = [one for one in self.cluster.fake.store.list(kind, "") if "status" not in one]
            if new:
                self.job = new[0]
                return self.script(self)
        return None

    def kind(self) -> Kind:
        """RayJob."""
        return self.cluster.fake.kind("ray.io/v1", "RayJob")


@contextmanager
def operating(cluster: Cluster, script: Callable[[Operator], None]) -> Iterator[Operator]:
    """An operator, as long as the context lasts."""
    operator, stop = Operator(cluster, script), threading.Event()
    thread = threading.Thread(target=operator.run, args=(stop,), daemon=True)
    thread.start()
    try:
        yield operator
    finally:
        stop.set()
        thread.join(20)


def succeeds(code: int = 0, **told: Any) -> Callable[[Operator], None]:
    """The usual life of a job whose process ends with 0."""

    def script(operator: Operator) -> None:
        operator.status("Initializing", attempt="a")
        log = operator.pod("a")
        log.write("Job submission server address: http://…", "first words")
        operator.status("Running", "RUNNING", "a")
        time.sleep(0.1)
        log.write("last words", said(code, **told), "Job 'a' succeeded")
        operator.status("Running", "SUCCEEDED", "a")
        operator.status("Complete", "SUCCEEDED", "a")

    return script


def fails(*lines: str, **more: Any) -> Callable[[Operator], None]:
    """A job that fails, with these last lines."""

    def script(operator: Operator) -> None:
        operator.pod("a").write(*lines)
        operator.status("Failed", "FAILED", "a", **{"reason": "AppFailed", "failed": 1, **more})

    return script
