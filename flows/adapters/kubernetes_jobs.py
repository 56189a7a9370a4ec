"""Jobs as RayJobs of a cluster: made of the templates that its ConfigMap holds, followed by their status and log."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import yaml

from features.errors import InputError, UnverifiedError
from flows.adapters.kubernetes_api import KubernetesApi, Seen
from flows.adapters.kubernetes_errors import MissingError
from flows.adapters.kubernetes_kinds import CONFIG_MAPS, NAMESPACES, PODS, RAY_CLUSTERS, RAY_JOBS
from flows.jobs.door import JobLine, create_once
from flows.jobs.driver_log import DriverLog
from flows.jobs.request import LABEL, JobRequest, is_pinned, ray_job
from flows.jobs.state import JobState, state_of

Json = dict[str, Any]
TEMPLATES = "rayjob-templates"
_CLUSTER = "ray-cluster"
_ATTEMPT = "RAY_JOB_SUBMISSION_ID"


@dataclass(frozen=True)
class ClusterJobs:
    """RayJobs of one namespace. templates: texts by key (rayjob-train.yaml); None: those of the cluster's ConfigMap."""

    api: KubernetesApi
    templates: Mapping[str, str] | None = None

    def create(self, request: JobRequest) -> None:
        """See JobDoor. Raises InputError for a template or an image that will not do."""
        template = self._template(request.command)
        if request.image and (template.get("spec") or {}).get("clusterSelector"):
            rule = "is for a job with a cluster of its own; here it runs on one that is there, with the image of that"
            raise InputError("--image", rule, request.image)
        made = ray_job(template, replace(request, image=request.image or self._image()))
        api, name = self.api, request.name
        create_once(lambda: api.create(RAY_JOBS, made), lambda: api.look(RAY_JOBS, name).object, name)

    def follow(self, name: str) -> "RayJobFollower":
        """See JobDoor."""
        return RayJobFollower(self.api, name)

    def jobs(self) -> list[JobLine]:
        """See JobDoor. Raises InputError for a namespace that is not there."""
        found = [_line(one) for one in self.api.find(RAY_JOBS, labels=LABEL)]
        if not found:
            self._need_namespace()
        return sorted(found, key=lambda line: line.started, reverse=True)

    def stop(self, name: str) -> None:
        """See JobDoor. The RayJob is deleted, at which KubeRay stops the job; its log goes with it."""
        self.api.delete(RAY_JOBS, name)

    def _template(self, command: str) -> Json:
        key = f"rayjob-{command}.yaml"
        texts = self._texts() if self.templates is None else self.templates
        if key not in texts:
            raise InputError(TEMPLATES, f"must hold {key}", ", ".join(sorted(texts)))
        try:
            found = yaml.safe_load(texts[key])
        except yaml.YAMLError as error:
            raise InputError(key, f"must be YAML ({' '.join(str(error).split())})") from error
        return found if isinstance(found, dict) else {}

    def _texts(self) -> Mapping[str, str]:
        try:
            return self.api.get(CONFIG_MAPS, TEMPLATES).get("data") or {}
        except MissingError as error:
            self._need_namespace()
            rule = f"the ConfigMap must be in namespace {self.api.namespace} (sync the manifests), or name --templates"
            raise InputError(TEMPLATES, rule) from error

    def _need_namespace(self) -> None:
        """A list out of a namespace that is not there is empty; whoever may not ask is told no more than that."""
        with suppress(UnverifiedError):
            try:
                self.api.get(NAMESPACES, self.api.namespace, "")
            except MissingError as error:
                raise InputError("namespace", "must exist in the cluster", self.api.namespace) from error

    def _image(self) -> str:
        """The image of the shared RayCluster, by the digest that its head runs where its manifest names none."""
        try:
            head = self.api.get(RAY_CLUSTERS, _CLUSTER)["spec"]["headGroupSpec"]["template"]["spec"]["containers"][0]
        except MissingError:
            return ""
        image = str(head["image"])
        if is_pinned(image):
            return image
        for pod in self.api.find(PODS, labels=f"ray.io/cluster={_CLUSTER},ray.io/node-type=head"):
            for status in pod.get("status", {}).get("containerStatuses", []):
                running = str(status.get("imageID", "")).removeprefix("docker-pullable://")
                if status["name"] == head["name"] and status.get("image") == image and is_pinned(running):
                    return running
        return image


class RayJobFollower:
    """See Follower. The log is that of the submitter's pods, which carry the driver's."""

    def __init__(self, api: KubernetesApi, name: str) -> None:
        self._api, self._name, self._seen = api, name, Seen()

    def look(self, wait_s: float) -> JobState | None:
        """See Follower."""
        self._seen = self._api.next_change(RAY_JOBS, self._name, self._seen, wait_s)
        return None if self._seen.object is None else state_of(self._seen.object)

    def read(self, log: DriverLog) -> tuple[DriverLog, list[str]]:
        """See Follower."""
        new: list[str] = []
        pods = self._api.find(PODS, labels=f"job-name={self._name}")
        for pod in sorted(pods, key=lambda pod: str(pod["metadata"]["creationTimestamp"])):
            name = pod["metadata"]["name"]
            try:
                lines = self._api.log(name, _container(pod)["name"], log.since(name))
            except MissingError:  # deleted in between
                continue
            log, more = log.read(name, _attempt(pod), lines)
            new += more
        return log, new


def _container(pod: Json) -> Json:
    """The submitter: the first container, as KubeRay takes it."""
    found: Json = pod["spec"]["containers"][0]
    return found


def _attempt(pod: Json) -> str:
    """Ray's id of the try that a submitter's pod follows."""
    told = (one.get("value") for one in _container(pod).get("env", []) if one["name"] == _ATTEMPT)
    return next(told, None) or ""


def _line(found: Json) -> JobLine:
    meta = found["metadata"]
    started = datetime.fromisoformat(meta["creationTimestamp"])
    return JobLine(meta["name"], meta["labels"][LABEL], state_of(found), started)
