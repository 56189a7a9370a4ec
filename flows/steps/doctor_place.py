"""What `vigia doctor` asks of an environment wherever it is: git, registry, store, service, and Ray behind it."""

import os
from collections.abc import Callable
from pathlib import Path

from pyarrow.fs import FileType

from features.errors import InputError, UnverifiedError
from features.storage import open_filesystem, reading
from flows.adapters.git import read_head
from flows.adapters.registry import registry_of
from flows.adapters.serve_api import ServeApi
from flows.doctor.checkup import Check
from flows.environments import Environment
from flows.promotion.observation import Content, Head, make_head
from flows.steps.head import named_leaves
from flows.steps.looking import stored_content

_SQLITE = "sqlite:///"


def checks_of_place(place: Environment, api: Callable[[], ServeApi]) -> list[Check]:
    """In the order of a promotion. Ray's own word is asked for in a cluster alone: here the service is all of it."""
    checks = [
        Check("Git", lambda: _git(place), f"see that `git ls-remote {place.repository}` works, and holds {place.file}"),
        Check("Registry", lambda: _registry(place), _to_registry(place)),
        Check("Store", lambda: _store(place), "look at address and credentials of the store; `vigia publish` fills it"),
        Check("Service", lambda: _service(place, api), _after(place), ("Git",)),
    ]
    if place.namespace is not None:
        checks.append(Check("Ray", lambda: _ray(place, api()), _to_ray(place)))
    return checks


def read_environment_head(place: Environment) -> Head:
    """What git's head names. Raises what the git door raises."""
    commit, text = read_head(place.repository, place.branch, place.file)
    return make_head(commit, named_leaves(place, text))


def _git(place: Environment) -> str:
    head = read_environment_head(place)
    what = f"names version {head.version}, sha256:{head.digest[:12]}" if head.digest else "names no bundle yet"
    return f"{place.branch} at {head.commit[:12]} {what}"


def _registry(place: Environment) -> str:
    if place.registry.startswith(_SQLITE) and not Path(place.registry.removeprefix(_SQLITE)).is_file():
        return "none yet; the first training makes it"
    champion = registry_of(place).by_alias(place.application, place.champion)
    return f"{place.champion} is version {champion.version}" if champion else f"answers; {place.champion} is not set"


def _to_registry(place: Environment) -> str:
    if not place.registry.startswith(_SQLITE):
        return f"see that MLflow answers at {place.registry}"
    return "locked: wait for the other command; damaged: put a copy back, or move the file away and train again"


def _store(place: Environment) -> str:
    if not place.bundles.startswith("s3://"):
        return f"{place.bundles} is a folder here"
    filesystem, path = open_filesystem(place.bundles, endpoint=place.endpoint)
    with reading(place.bundles, "bundles", "listed"):
        found = filesystem.get_file_info(path)
        if found.type is FileType.NotFound:  # nothing is published yet, or there is no such bucket
            found = filesystem.get_file_info(path.partition("/")[0])
    if found.type is FileType.NotFound:
        raise InputError("bundles", "must be in a bucket that exists", place.bundles)
    return f"{place.bundles} may be read, with {_identity()}"


def _identity() -> str:
    """Which credentials clients of S3 take; the id of a key is none of its secrets."""
    if key := os.environ.get("AWS_ACCESS_KEY_ID"):
        return f"the key {key}"
    if role := os.environ.get("AWS_ROLE_ARN"):
        return f"the role {role}"
    return f"the AWS profile {os.environ.get('AWS_PROFILE', 'default')}"


def _service(place: Environment, api: Callable[[], ServeApi]) -> str:
    head, model = read_environment_head(place), api().model()
    served = str(model.get("served") or "")
    if head.digest and served != head.digest:
        raise InputError("service", f"must serve sha256:{head.digest[:12]}, as git says", served[:12])
    if head.digest and stored_content(place, head.uri, head.digest)[0] is not Content.INTACT:
        rule = f"must hold what git names, intact: remove {head.uri} and publish or train it again"
        raise InputError("bundles", rule, head.digest[:12])
    return f"serves sha256:{served[:12]}" if served else "serves nothing yet"


def _ray(place: Environment, api: ServeApi) -> str:
    """As a verification asks: the answer is proof that Ray takes the token."""
    try:
        found = api.applications()
    except UnverifiedError as error:
        rule = f"must be what Ray takes, as the Secret ray-auth-token has it ({error})"
        raise InputError(f"{place.name}.tokens.dashboard", rule) from error
    return f"{api.dashboard} takes the token, and tells of {', '.join(found) or 'no application'}"


def _to_ray(place: Environment) -> str:
    forward = f"kubectl -n {place.namespace} port-forward svc/ray-serve 8265:8265"
    return f"from a laptop `{forward}`, with `dashboard` and `tokens.dashboard` in the environment"


def _after(place: Environment) -> str:
    return f"see where its truths part: `vigia status --env {place.name}`"
