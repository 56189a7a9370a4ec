"""Which bundle a command means: a folder, a URI, a registered version or an alias."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from features.errors import InputError
from features.storage import read_folder
from flows.adapters.registry import ModelVersion, registry_of
from flows.config.data import Data
from flows.environments import Environment
from flows.promotion.admission import CHALLENGER
from flows.steps.usual_model import usual_model
from serving.bundle import Bundle, open_bundle, read_bundle

_REGISTERED = re.compile(r"models:/(?P<model>[^/@]+)(?:/(?P<version>[0-9]+)|@(?P<alias>[^/@]+))")


@dataclass(frozen=True)
class Asked:
    """What was asked for: ``bundle`` (folder, file://, s3://, models:/name/version, models:/name@alias), or a version
    of ``model`` (None: the usual one), or the first of ``aliases`` that points at one."""

    model: str | None = None
    bundle: str | None = None
    version: str | None = None
    aliases: tuple[str, ...] = (CHALLENGER,)


class UnregisteredError(InputError):
    """None of the aliases points at a version."""


@dataclass(frozen=True)
class FoundBundle:
    """A loaded bundle, its files, what people call it, and its version where it is a registered one."""

    bundle: Bundle
    files: Mapping[str, bytes]
    named: str
    version: ModelVersion | None


def missing_roles(bundle: Bundle, data: Data) -> list[str]:
    """The roles that the bundle's baselines are by and the table has no column for; its rows then count as unseen."""
    baselines = bundle.scorer.baselines
    if baselines is None:
        return []
    wanted = {"data.series": data.series, "data.regime": data.regime if baselines.regimes != ("",) else "none needed"}
    return [name for name, column in wanted.items() if column is None]


def find_bundle(asked: Asked, environment: Environment) -> FoundBundle:
    """Load it. Raises InputError where there is none or its content is not what was registered, UnreachableError where
    it cannot be read."""
    if asked.bundle is not None and not asked.bundle.startswith("models:"):
        files = read_folder(asked.bundle, endpoint=environment.endpoint)
        return FoundBundle(open_bundle(files), files, asked.bundle, None)
    version = find_version(asked, environment)
    files = read_bundle(version.uri, version.digest, environment.endpoint)
    return FoundBundle(open_bundle(files), files, f"{version.name} version {version.version}", version)


def find_version(asked: Asked, environment: Environment) -> ModelVersion:
    """The registered version. Raises UnregisteredError where no alias points at one, InputError where there is none of
    that number, or where a folder was asked for."""
    registry, model, aliases, number = registry_of(environment), asked.model, asked.aliases, asked.version
    if asked.bundle is not None:
        named = _REGISTERED.fullmatch(asked.bundle)
        if named is None:
            raise InputError("--bundle", "must be models:/name/version or models:/name@alias", asked.bundle)
        model, number, aliases = named["model"], named["version"], (named["alias"],)
    model = model or usual_model(registry)
    if number is not None:
        return registry.by_version(model, number)
    for alias in aliases:
        if (found := registry.by_alias(model, alias)) is not None:
            return found
    raise UnregisteredError(
        "--alias", f"must point at a version of {model!r}; run `vigia train` first", " or ".join(aliases)
    )
