"""What `vigia doctor` asks of this machine."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from features.errors import InputError, UnreachableError
from flows.adapters.serve_api import ServeApi
from flows.doctor.checkup import Check
from flows.doctor.versions import at_least, canonical, named, packages, pins
from flows.environments import Environment
from flows.steps.doctor_place import checks_of_place

_HERE = Path(__file__).resolve().parents[2]
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
    return [
        Check("Python", _python, "install Python 3.11 or newer, remove .venv, run `make install`"),
        Check("Packages", _packages, "run `make install`"),
        Check("Programs", _programs, "install what is missing; scripts/0-install-dependencies.sh does on Debian"),
        Check("Disk", lambda: _disk(around.workspace), "make room, or name another --workspace"),
        *(
            Check(f"Token {key}", _said(read), "set it; nothing asks for it here")
            for key, read in around.tokens.items()
        ),
        *checks_of_place(around.environment, around.api),
    ]


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
