"""Rules: what KubeRay's own validation asks (``utils/validation.go``), and what this project asks of every Ray kind."""

import re
from collections.abc import Iterator
from typing import Any

from tests.manifests.checking.documents import Documents
from tests.manifests.checking.finding import Finding
from tests.manifests.checking.kuberay import RayCluster, ray_cluster
from tests.manifests.checking.walking import at

_OLDEST_WITH_TOKENS = (2, 52)
_VERSION = re.compile(r"\d+\.\d+\.\d+")
_RAY_RESOURCES = ("num-cpus", "num-gpus", "memory", "resources")


def ray_token_auth(documents: Documents) -> Iterator[Finding]:
    for cluster in _clusters(documents):
        auth = cluster.spec.get("authOptions") or {}
        if auth.get("mode") != "token" or not auth.get("secretName"):
            yield cluster.owner.finding(f"{cluster.path}.authOptions", "mode token, from a named Secret", auth)
        version = str(cluster.spec.get("rayVersion", ""))
        numbers = tuple(int(part) for part in version.split(".")) if _VERSION.fullmatch(version) else ()
        if numbers < _OLDEST_WITH_TOKENS:
            path = f"{cluster.path}.rayVersion"
            yield cluster.owner.finding(path, "2.52 or newer, which token authentication needs", version)


def ray_group(documents: Documents) -> Iterator[Finding]:
    """What the operator refuses in a group of nodes."""
    for cluster in _clusters(documents):
        groups = [(f"{cluster.path}.headGroupSpec", cluster.head), *cluster.workers()]
        for path, group in groups:
            start = group.get("rayStartParams") or {}
            if group.get("resources") and any(name in start for name in _RAY_RESOURCES):
                yield cluster.owner.finding(path, "resources in one place, not in rayStartParams too", start)
            if "labels" in start:
                yield cluster.owner.finding(
                    f"{path}.rayStartParams.labels", "absent: labels is a field", start["labels"]
                )
            restart = at(group, "template.spec.restartPolicy", "Never")
            if at(cluster.spec, "autoscalerOptions.version") == "v2" and restart != "Never":
                yield cluster.owner.finding(f"{path}.template.spec.restartPolicy", "Never with autoscaler v2", restart)
        if not cluster.spec.get("enableInTreeAutoscaling"):
            for path, group in cluster.workers():
                if not {"minReplicas", "maxReplicas"} <= group.keys():
                    yield cluster.owner.finding(path, "minReplicas and maxReplicas without an autoscaler", [*group])


def ray_job(documents: Documents) -> Iterator[Finding]:
    """What the operator refuses in a RayJob."""
    for job in documents.of("RayJob"):
        spec, selector = job.spec, job.spec.get("clusterSelector")
        for path, rule, broken in _job_rules(spec, bool(selector)):
            if broken:
                yield job.finding(path, rule, at(job.body, path))


def submitter_ends(documents: Documents) -> Iterator[Finding]:
    """A Kubernetes Job takes no pod that is started again for ever."""
    for kind, path in (
        ("Job", "spec.template.spec"),
        ("CronJob", "spec.jobTemplate.spec.template.spec"),
        ("RayJob", "spec.submitterPodTemplate.spec"),
    ):
        for job in documents.of(kind):
            spec = at(job.body, path)
            if spec is not None and spec.get("restartPolicy") not in ("Never", "OnFailure"):
                yield job.finding(f"{path}.restartPolicy", "Never or OnFailure", spec.get("restartPolicy"))


def _job_rules(spec: dict[str, Any], shared: bool) -> Iterator[tuple[str, str, bool]]:
    sidecar = spec.get("submissionMode") == "SidecarMode"
    shuts_down = bool(spec.get("shutdownAfterJobFinishes"))
    retries = int(spec.get("backoffLimit") or 0)
    yield "spec.rayClusterSpec", "a cluster, or clusterSelector", not shared and not spec.get("rayClusterSpec")
    yield "spec.suspend", "shutdownAfterJobFinishes with it", bool(spec.get("suspend")) and not shuts_down
    yield "spec.suspend", "no suspension with clusterSelector", bool(spec.get("suspend")) and shared
    yield "spec.backoffLimit", "0 with clusterSelector", shared and retries > 0
    yield "spec.submissionMode", "no sidecar with clusterSelector", shared and sidecar
    yield "spec.submitterPodTemplate", "absent in SidecarMode", sidecar and "submitterPodTemplate" in spec
    yield "spec.submitterConfig", "absent in SidecarMode", sidecar and "submitterConfig" in spec
    ttl = int(spec.get("ttlSecondsAfterFinished") or 0)
    yield "spec.ttlSecondsAfterFinished", "shutdownAfterJobFinishes with it", ttl > 0 and not shuts_down
    for name in ("activeDeadlineSeconds", "preRunningDeadlineSeconds"):
        yield f"spec.{name}", "above 0", int(spec.get(name, 1)) <= 0


def _clusters(documents: Documents) -> Iterator[RayCluster]:
    found = (ray_cluster(resource) for resource in documents.resources)
    return (cluster for cluster in found if cluster is not None)
