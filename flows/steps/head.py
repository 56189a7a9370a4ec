"""What an environment's git says it serves."""

from flows.adapters.registry import ModelVersion
from flows.environments import Environment
from flows.promotion.edit import Leaves, Target, read_leaves


def named_leaves(environment: Environment, text: str) -> Leaves:
    """The values that promotion writes, as they stand in the text of the environment's file."""
    return read_leaves(text, Target(environment.file))


def coordinates(version: ModelVersion) -> dict[str, str]:
    """What a manifest says of a version."""
    return {"uri": version.uri, "digest": version.digest, "model": version.name, "version": version.version}
