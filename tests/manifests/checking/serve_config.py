"""Rules: ``serveConfigV2`` is a text that Ray Serve accepts, and its replicas fit the workers at their most."""

import math
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError

from tests.manifests.checking.documents import Documents, Resource
from tests.manifests.checking.finding import Finding
from tests.manifests.checking.kuberay import ray_cluster
from tests.manifests.checking.quantities import quantity
from tests.manifests.checking.walking import at

PATH = "spec.serveConfigV2"
_AUTO = 100  # Ray Serve's own maximum under `num_replicas: auto`


def serve_config_accepted(documents: Documents) -> Iterator[Finding]:
    """Ray's own schema ignores a key that it does not know; here such a key is a finding."""
    from ray.serve.config import AutoscalingConfig  # two seconds, only where there is a RayService
    from ray.serve.schema import DeploymentSchema, ServeApplicationSchema, ServeDeploySchema

    for service in documents.of("RayService"):
        try:
            config = serve_config(service)
            ServeDeploySchema.model_validate(config)
        except (yaml.YAMLError, ValidationError, ValueError) as error:
            yield service.finding(PATH, "accepted by Ray Serve", error)
            continue
        yield from _unknown(service, PATH, config, ServeDeploySchema)
        for path, application in _listed(config, "applications", PATH):
            yield from _unknown(service, path, application, ServeApplicationSchema)
            for inner, deployment in _listed(application, "deployments", path):
                yield from _unknown(service, inner, deployment, DeploymentSchema)
                scaling = deployment.get("autoscaling_config")
                if isinstance(scaling, dict):
                    yield from _unknown(service, f"{inner}.autoscaling_config", scaling, AutoscalingConfig)


def serve_replicas_fit(documents: Documents) -> Iterator[Finding]:
    """All replicas at their most fit the worker groups at their most, each replica in one worker."""
    for service in documents.of("RayService"):
        cluster = ray_cluster(service)
        if cluster is None:
            continue
        workers = [(int(group.get("maxReplicas", 1)), _cpus(group)) for _, group in cluster.workers()]
        largest = max((cpus for _, cpus in workers), default=Decimal(0))
        asked = Decimal(0)
        for path, deployment in _deployments(service):
            cpus = Decimal(str(at(deployment, "ray_actor_options.num_cpus", 1)))
            asked += _most(deployment) * cpus
            if cpus > largest:
                yield service.finding(f"{path}.ray_actor_options.num_cpus", f"at most a worker's {largest}", cpus)
        whole = sum((count * cpus for count, cpus in workers), _cpus(cluster.head))
        if asked > whole:
            yield service.finding(PATH, f"replicas fit the {whole} CPUs of all workers", asked)


def serve_config(service: Resource) -> dict[str, Any]:
    """
    Raises:
        yaml.YAMLError, ValueError: it is no text, or no mapping in it
    """
    text = service.spec.get("serveConfigV2")
    config = yaml.load(text, yaml.CSafeLoader) if isinstance(text, str) else None
    if not isinstance(config, dict):
        raise ValueError(f"a text that holds a mapping is wanted, got {type(text).__name__}")
    return config


def deployments(documents: Documents) -> Iterator[tuple[Resource, str, dict[str, Any]]]:
    """Every deployment of a serve configuration, with its RayService and path."""
    for service in documents.of("RayService"):
        for path, deployment in _deployments(service):
            yield service, path, deployment


def _deployments(service: Resource) -> Iterator[tuple[str, dict[str, Any]]]:
    try:
        config = serve_config(service)
    except (yaml.YAMLError, ValueError):
        return  # serve_config_accepted says so
    for path, application in _listed(config, "applications", PATH):
        yield from _listed(application, "deployments", path)


def _listed(node: dict[str, Any], key: str, path: str) -> Iterator[tuple[str, dict[str, Any]]]:
    for index, value in enumerate(node.get(key) or ()):
        yield f"{path}.{key}[{index}]", value


def _unknown(service: Resource, path: str, node: dict[str, Any], schema: type[BaseModel]) -> Iterator[Finding]:
    for key in node:
        if key not in schema.model_fields:
            yield service.finding(path, "a key that Ray Serve knows", key)


def _most(deployment: dict[str, Any]) -> int:
    scaling = deployment.get("autoscaling_config")
    if isinstance(scaling, dict):
        return int(scaling.get("max_replicas", 1))
    count = deployment.get("num_replicas") or 1
    return _AUTO if count == "auto" else int(count)


def _cpus(group: dict[str, Any]) -> Decimal:
    """What Ray counts as CPUs of a node: its parameter, else the container's limit, rounded up, else its request."""
    named = (group.get("rayStartParams") or {}).get("num-cpus")
    if named is not None:
        return Decimal(named)
    resources = (at(group, "template.spec.containers", [{}])[0]).get("resources") or {}
    cpu = at(resources, "limits.cpu", at(resources, "requests.cpu", 0))
    return Decimal(math.ceil(quantity(cpu)))
