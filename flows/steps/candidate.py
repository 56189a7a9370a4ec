"""What is to be promoted: a version, loaded from where the environment reads it and held to its digest."""

from dataclasses import dataclass, replace

from features.errors import InputError
from features.storage import list_files, open_filesystem, reading
from flows.adapters.registry import ModelVersion, Registry
from flows.environments import Environment
from flows.promotion.admission import CHALLENGER, Requests
from serving.bundle import Bundle
from serving.loading import Depot
from serving.settings import BundleRef


@dataclass(frozen=True)
class Candidate:
    """``version``, with the URI that the environment reads; needs: what it asks of requests; challenger: its alias."""

    version: ModelVersion
    needs: Requests
    challenger: bool


def find_candidate(environment: Environment, registry: Registry, model: str, number: str | None) -> Candidate:
    """The version of that number, else the challenger.

    Raises InputError when there is none, when the environment cannot read it, or when its content is not what was
    registered; UnreachableError when registry or store does not answer.
    """
    challenger = registry.by_alias(model, CHALLENGER)
    chosen = registry.by_version(model, number) if number else challenger
    if chosen is None:
        raise InputError("model", "has no challenger; run `vigia train` first", model)
    readable = replace(chosen, uri=readable_uri(environment, chosen))
    bundle = load(environment, readable.uri, readable.digest)
    is_challenger = challenger is not None and challenger.version == chosen.version
    return Candidate(readable, requests_of(bundle), is_challenger)


def load(environment: Environment, uri: str, digest: str) -> Bundle:
    """A bundle as a replica of the environment would load it: held to its digest, opened, tried on a row."""
    return Depot(environment.endpoint or "").load(BundleRef(uri=uri, digest=digest), "bundle").bundle


def requests_of(bundle: Bundle) -> Requests:
    """What a bundle asks of those who ask it."""
    return Requests(tuple(bundle.manifest.features), bundle.scorer.history.rows)


def readable_uri(environment: Environment, version: ModelVersion) -> str:
    """Where the environment reads the bundle: its own store. Raises InputError, saying how, when it is not there."""
    uri = environment.bundle_uri(version.digest)
    filesystem, path = open_filesystem(uri, endpoint=environment.endpoint)
    try:
        with reading(uri, "bundles"):
            list_files(filesystem, f"{path}/bundle.json")
    except InputError as error:
        if not isinstance(error.__cause__, FileNotFoundError):
            raise
        how = f"`vigia publish {version.digest} --to {environment.name}` copies it to its store"
        if version.uri == uri:
            how = "it is gone from its store; train again, or publish it from another environment's"
        rule = f"{environment.name} must be able to read version {version.version}: {how}"
        raise InputError("--env", rule, version.uri) from error
    return uri
