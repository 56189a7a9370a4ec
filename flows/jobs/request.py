"""What to submit: the RayJob of a template, under a name of its own, with arguments and image."""

import copy
import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from features.errors import InputError

Json = dict[str, Any]
IMAGE = "vigia-train"
"""What templates call the image of training; kustomize maps nothing inside a ConfigMap."""
LABEL = "vigia/job"
_MODE = "K8sJobMode"
_LONGEST = 47
"""Characters of a RayJob's name that KubeRay allows."""
_PINNED = re.compile(r"@sha256:[0-9a-f]{64}$")


@dataclass(frozen=True)
class JobRequest:
    """One job. command: of vigia; arguments: after those of the template's entrypoint; image: "" for the template's."""

    command: str
    name: str
    environment: str
    arguments: tuple[str, ...] = ()
    image: str = ""


def job_name(command: str, moment: datetime, suffix: str) -> str:
    """A name that sorts by time, is unique by its suffix, and fits into the names that KubeRay makes of it."""
    name = f"{command}-{moment:%Y%m%d-%H%M%S}-{suffix}"
    assert len(name) <= _LONGEST, name
    return name


def ray_job(template: Mapping[str, Any], request: JobRequest) -> Json:
    """The RayJob to create.

    Raises InputError for a template of another kind, and for an image that another may replace under the same name:
    only a job on a cluster that runs already may do without a digest, since that cluster's image is what runs.
    """
    made = copy.deepcopy(dict(template))
    spec, metadata = made.get("spec"), made.setdefault("metadata", {})
    if made.get("kind") != "RayJob" or not isinstance(spec, dict) or not str(spec.get("entrypoint") or "").strip():
        raise InputError(f"rayjob-{request.command}.yaml", "must be a RayJob with an entrypoint", made.get("kind"))
    if not isinstance(metadata, dict) or not isinstance(metadata.setdefault("labels", {}), dict):
        raise InputError(f"rayjob-{request.command}.yaml", "must hold keys and values in metadata and labels", metadata)
    if (mode := spec.get("submissionMode", _MODE)) != _MODE:
        rule = f"submissionMode must be {_MODE}: without a submitter's pod nobody can read what came of the job"
        raise InputError(f"rayjob-{request.command}.yaml", rule, mode)
    if request.image and not is_pinned(request.image) and not spec.get("clusterSelector"):
        raise InputError("--image", "must be pinned by its digest (name@sha256:…)", request.image)
    spec["entrypoint"] = entrypoint(str(spec["entrypoint"]), tuple(map(_literal, request.arguments)))
    metadata.pop("namespace", None)  # that of the environment
    labels = {"app.kubernetes.io/part-of": "vigia", LABEL: request.command, "vigia/environment": request.environment}
    metadata |= {"name": request.name, "labels": {**metadata["labels"], **labels}}
    for container in _containers(spec):
        if str(container.get("image", "")).partition(":")[0] == IMAGE:
            if not request.image:
                raise InputError("--image", f"must say what {IMAGE} is here: no RayCluster tells it")
            container["image"] = request.image
    return made


def is_pinned(image: str) -> bool:
    """Whether an image is named by its digest."""
    return bool(_PINNED.search(image))


def entrypoint(command: str, arguments: tuple[str, ...]) -> str:
    """The command of a shell with further arguments, each quoted where a shell would read more than text in it."""
    return " ".join((" ".join(command.split()), *map(shlex.quote, arguments)))


def _literal(argument: str) -> str:
    """As the arguments of a submitter's container must have it, in which a kubelet fills in $(NAME) and halves $$."""
    return argument.replace("$", "$$")


def _containers(place: Any) -> Iterator[Json]:
    """Every container below, of whatever pod."""
    if isinstance(place, list):
        for one in place:
            yield from _containers(one)
    elif isinstance(place, dict):
        for key, one in place.items():
            if key in ("containers", "initContainers"):
                yield from (container for container in one or () if isinstance(container, dict))
            else:
                yield from _containers(one)
