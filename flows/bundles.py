"""Bundles of an environment: published under their digest, and read from where a version says."""

from collections.abc import Mapping

from features.storage import local_path, publish_folder
from flows.adapters.registry import ModelVersion
from flows.environments import Environment
from serving.bundle import Bundle, digest_of, load_bundle

LAST = "bundle.json"
"""The file whose presence means that the others are there."""


def publish_bundle(files: Mapping[str, bytes], environment: Environment) -> str:
    """Publish a bundle's files to the environment's store; returns their URI. What is there already stays."""
    uri = environment.bundle_uri(digest_of(files))
    publish_folder(files, uri, last=LAST, endpoint=environment.endpoint)
    return uri


def load_version(version: ModelVersion, environment: Environment) -> Bundle:
    """The bundle of a version. Raises UnreachableError when it cannot be read, InputError when it is another's."""
    return load_bundle(version.uri, version.digest, environment.endpoint)


def place(uri: str) -> str:
    """How people call a published bundle: a path where it is one."""
    return str(local_path(uri)) if uri.startswith("file:") else uri
