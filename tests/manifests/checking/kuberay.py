"""What KubeRay 1.7 makes of its kinds: head, worker and submitter pods with the containers that it adds.

As in its ``common/pod.go`` and ``common/job.go``: the autoscaler takes its security context from ``autoscalerOptions``
alone; the workers' init container copies that of the Ray container; a submitter without a template of its own has none.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tests.manifests.checking.documents import Resource
from tests.manifests.checking.pod import Pod
from tests.manifests.checking.walking import at

CLUSTERS = {"RayCluster": "spec", "RayService": "spec.rayClusterConfig", "RayJob": "spec.rayClusterSpec"}
_AUTOSCALER = {"requests": {"cpu": "500m", "memory": "512Mi"}, "limits": {"cpu": "500m", "memory": "512Mi"}}
_WAITER = {"requests": {"cpu": "200m", "memory": "256Mi"}, "limits": {"cpu": "200m", "memory": "256Mi"}}
_SUBMITTER = {"requests": {"cpu": "500m", "memory": "200Mi"}, "limits": {"cpu": "1", "memory": "1Gi"}}


@dataclass(frozen=True)
class RayCluster:
    """The cluster in one of KubeRay's kinds. name: the pods' ``ray.io/cluster``, which KubeRay ends in five letters."""

    owner: Resource
    path: str
    name: str
    spec: dict[str, Any]

    @property
    def head(self) -> dict[str, Any]:
        return self.spec.get("headGroupSpec") or {}

    def workers(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Worker groups with their paths."""
        for index, group in enumerate(self.spec.get("workerGroupSpecs") or ()):
            yield f"{self.path}.workerGroupSpecs[{index}]", group


def ray_cluster(resource: Resource) -> RayCluster | None:
    """The cluster that a resource describes; None for other kinds and a RayJob that uses a running cluster."""
    path = CLUSTERS.get(resource.kind)
    spec = at(resource.body, path) if path else None
    if path is None or not spec:
        return None
    name = resource.name if resource.kind == "RayCluster" else f"{resource.name}-xxxxx"
    return RayCluster(resource, path, name, spec)


def ray_pods(resource: Resource) -> Iterator[Pod]:
    """The pods of a Ray kind; none for any other."""
    cluster = ray_cluster(resource)
    if cluster:
        yield _head(cluster)
        for path, group in cluster.workers():
            yield _worker(cluster, path, group)
    if resource.kind == "RayJob" and resource.spec.get("submissionMode", "K8sJobMode") == "K8sJobMode":
        yield _submitter(resource, cluster)


def _head(cluster: RayCluster) -> Pod:
    template = cluster.head.get("template") or {}
    spec = dict(template.get("spec") or {})
    containers = list(spec.get("containers") or ())
    if containers and cluster.spec.get("enableInTreeAutoscaling"):
        containers.append(_autoscaler(cluster, containers[0]))
    if containers and cluster.owner.spec.get("submissionMode") == "SidecarMode":
        containers.append(_default_submitter(containers[0]))
    spec["containers"] = containers
    labels = _labels(cluster, "head", "headgroup", template)
    return Pod(cluster.owner, f"{cluster.path}.headGroupSpec.template", labels, spec, ray=True)


def _worker(cluster: RayCluster, path: str, group: dict[str, Any]) -> Pod:
    template = group.get("template") or {}
    spec = dict(template.get("spec") or {})
    containers = spec.get("containers") or ()
    if containers:
        copied = {key: containers[0][key] for key in _COPIED if key in containers[0]}
        waiter = {"name": "wait-gcs-ready", **copied, "resources": _WAITER}
        spec["initContainers"] = [*(spec.get("initContainers") or ()), waiter]
    labels = _labels(cluster, "worker", str(group.get("groupName")), template)
    return Pod(cluster.owner, f"{path}.template", labels, spec, ray=True)


_COPIED = ("image", "imagePullPolicy", "securityContext", "env", "volumeMounts")


def _autoscaler(cluster: RayCluster, ray: dict[str, Any]) -> dict[str, Any]:
    options = cluster.spec.get("autoscalerOptions") or {}
    ours = ("image", "imagePullPolicy", "resources", "securityContext", "env", "envFrom", "volumeMounts")
    return {
        "name": "autoscaler",
        "image": ray.get("image"),
        "resources": _AUTOSCALER,
        **{key: options[key] for key in ours if options.get(key)},
    }


def _submitter(job: Resource, cluster: RayCluster | None) -> Pod:
    template = job.spec.get("submitterPodTemplate")
    if template is None:
        containers = at(cluster.head, "template.spec.containers", []) if cluster else []
        ray = containers[0] if containers else {}
        template = {"spec": {"restartPolicy": "Never", "containers": [_default_submitter(ray)]}}
    return Pod(job, "spec.submitterPodTemplate", at(template, "metadata.labels", {}), template["spec"], ray=True)


def _default_submitter(ray: dict[str, Any]) -> dict[str, Any]:
    return {"name": "ray-job-submitter", "image": ray.get("image"), "resources": _SUBMITTER}


def _labels(cluster: RayCluster, node: str, group: str, template: dict[str, Any]) -> dict[str, str]:
    made = {
        "ray.io/is-ray-node": "yes",
        "app.kubernetes.io/name": "kuberay",
        "app.kubernetes.io/created-by": "kuberay-operator",
        **at(template, "metadata.labels", {}),
        "ray.io/cluster": cluster.name,
        "ray.io/node-type": node,
        "ray.io/group": group,
    }
    if cluster.owner.kind == "RayService":  # the operator turns it on and off on the head as it answers
        made["ray.io/serve"] = "true"
    return made
