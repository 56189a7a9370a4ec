"""What `vigia doctor` asks of this machine, and of the environment's git, registry, store and service."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from features.errors import InputError, UnreachableError
from features.storage import open_filesystem, reading
from flows.adapters.git import read_head
from flows.adapters.registry import registry_of
from flows.adapters.serve_api import ServeApi
from flows.doctor.checkup import Check
from flows.doctor.versions import at_least, canonical, named, packages, pins
from flows.environments import Environment
from flows.promotion.observation import Content, Head, make_head
from flows.steps.head import named_leaves
from flows.steps.looking import stored_content

_HERE = Path(__file__).resolve().parents[2]
_SQLITE = "sqlite:///"
_FREE_GIB = 5


@dataclass(frozen=True)
class Surroundings:
    """api: opens the service; tokens: by key of the environment, what reads each that it names."""

    environment: Environment
    workspace: Path
    api: Callable[[], ServeApi]
    tokens: Mapping[str, Callable[[], object]]


def checks_here(around: Surroundings) -> list[Check]:
    """Of the machine first, then of what the environment names."""
    place = around.environment
    return [
        Check("Python", _python, "install Python 3.11 or newer, remove .venv, run `make install`"),
        Check("Packages", _packages, "run `make install`"),
        Check("Programs", _programs, "install what is missing; scripts/0-install-dependencies.sh does on Debian"),
        Check("Disk", lambda: _disk(around.workspace), "make room, or name another --workspace"),
        *(
            Check(f"Token {key}", _said(read), "set it; nothing asks for it here")
            for key, read in around.tokens.items()
        ),
        Check("Git", lambda: _git(place), f"see that `git ls-remote {place.repository}` works, and holds {place.file}"),
        Check("Registry", lambda: _registry(place), f"see that MLflow answers at {place.registry}"),
        Check("Store", lambda: _store(place), "look at address and credentials of the store; `vigia publish` fills it"),
        Check("Service", lambda: _service(place, around.api), _after(place), ("Git",)),
    ]


def read_environment_head(place: Environment) -> Head:
    """What git's head names. Raises what the git door raises."""
    commit, text = read_head(place.repository, place.branch, place.file)
    return make_head(commit, named_leaves(place, text))


def version_of(*command: str) -> str:
    """What a program says of its version. Raises InputError without it, UnreachableError where it fails."""
    if shutil.which(command[0]) is None:
        raise InputError(command[0], "must be installed")
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=True)
    except (OSError, subprocess.SubprocessError) as error:
        raise UnreachableError(f"{' '.join(command)}: {error}") from error
    return done.stdout


def wanted_versions() -> dict[str, str]:
    """NAME_VERSION -> version, as the scripts install them; empty for an installed package."""
    file = _HERE / "scripts" / "versions.env"
    return named(file.read_text(encoding="utf-8")) if file.is_file() else {}


def _python() -> str:
    return at_least("python", ".".join(map(str, sys.version_info[:3])), "3.11")


def _packages() -> str:
    lock = _HERE / "requirements.lock"
    if not lock.is_file():
        return "no requirements.lock beside this package"
    installed = {canonical(one.name): one.version for one in metadata.distributions()}
    return packages(pins(lock.read_text(encoding="utf-8")), installed)


def _programs() -> str:
    return f"git {at_least('git', version_of('git', '--version'), '2.25')}"


def _disk(workspace: Path) -> str:
    free, there = shutil.disk_usage(workspace).free / 2**30, os.access(workspace, os.W_OK)
    if not there:
        raise InputError("workspace", "must be writable", str(workspace))
    if free < _FREE_GIB:
        raise InputError("workspace", f"must have {_FREE_GIB} GiB of room", f"{free:.1f} GiB")
    return f"{free:.0f} GiB free for {workspace}"


def _said(read: Callable[[], object]) -> Callable[[], str]:
    def question() -> str:
        read()
        return "there"

    return question


def _git(place: Environment) -> str:
    head = read_environment_head(place)
    what = f"names version {head.version}, sha256:{head.digest[:12]}" if head.digest else "names no bundle yet"
    return f"{place.branch} at {head.commit[:12]} {what}"


def _registry(place: Environment) -> str:
    if place.registry.startswith(_SQLITE) and not Path(place.registry.removeprefix(_SQLITE)).is_file():
        return "none yet; the first training makes it"
    champion = registry_of(place).by_alias(place.application, place.champion)
    return f"{place.champion} is version {champion.version}" if champion else f"answers; {place.champion} is not set"


def _store(place: Environment) -> str:
    filesystem, path = open_filesystem(place.bundles, endpoint=place.endpoint)
    with reading(place.bundles, "bundles", "listed"):
        found = filesystem.get_file_info(path)
    if place.bundles.startswith("s3://") and found.type.name == "NotFound" and "/" not in path:
        raise InputError("bundles", "must be a bucket that exists", place.bundles)
    return f"{place.bundles} answers"


def _service(place: Environment, api: Callable[[], ServeApi]) -> str:
    head, model = read_environment_head(place), api().model()
    served = str(model.get("served") or "")
    if head.digest and served != head.digest:
        raise InputError("service", f"must serve sha256:{head.digest[:12]}, as git says", served[:12])
    if head.digest and stored_content(place, head.uri, head.digest)[0] is not Content.INTACT:
        raise InputError("bundles", "must hold what git names, intact", head.digest[:12])
    return f"serves sha256:{served[:12]}" if served else "serves nothing yet"


def _after(place: Environment) -> str:
    return f"see where its truths part: `vigia status --env {place.name}`"
