"""What an environment's git says it serves."""

from features.errors import InputError
from flows.adapters.registry import ModelVersion
from flows.environments import Environment
from flows.promotion.edit import Leaves, Target, read_leaves


def target(environment: Environment) -> Target:
    """The deployment that promotion edits, and its file as errors call it."""
    return Target(environment.file, application=environment.application, deployment=environment.deployment)


def named_leaves(environment: Environment, text: str) -> Leaves:
    """The values that promotion writes, as they stand in the text of the environment's file.

    Raises InputError for a text that says nothing, with the way out.
    """
    try:
        return read_leaves(text, target(environment))
    except InputError as error:
        said = str(error).removeprefix(f"{error.field}: ")
        how = f"mend it, or git revert what did it, on {environment.branch} of {environment.repository}"
        raise InputError(error.field, f"{said}; {how}") from error


def named_bundle(environment: Environment, text: str) -> dict[str, str]:
    """uri, digest, model and version that the text names; without a digest, nothing is promoted."""
    return {key: value for (section, key), value in named_leaves(environment, text).items() if section == "bundle"}


def coordinates(version: ModelVersion) -> dict[str, str]:
    """What a manifest says of a version."""
    return {"uri": version.uri, "digest": version.digest, "model": version.name, "version": version.version}
