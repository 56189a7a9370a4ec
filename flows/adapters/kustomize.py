"""The kustomize door: an overlay as the cluster would get it."""

import os
import shutil
import subprocess
from collections.abc import Collection
from pathlib import Path

from features.errors import InputError, UnreachableError

_NAMES = frozenset({"kustomization.yaml", "kustomization.yml", "Kustomization"})
_TIMEOUT_S = 120


def is_overlay(names: Collection[str]) -> bool:
    """Whether a folder with these files is anything to build."""
    return not _NAMES.isdisjoint(names)


def build_overlay(folder: Path) -> str | None:
    """What ``kubectl kustomize`` (or ``kustomize build``) prints; None without either program or without an overlay.

    Raises InputError with the program's own words when the overlay cannot be built, UnreachableError on a time-out.
    """
    programs = (("kubectl", "kustomize"), ("kustomize", "build"))
    command = next(([found, verb] for name, verb in programs if (found := shutil.which(name))), None)
    if command is None or not is_overlay(os.listdir(folder)):
        return None
    try:
        done = subprocess.run([*command, str(folder)], capture_output=True, check=True, timeout=_TIMEOUT_S)
    except subprocess.TimeoutExpired as error:
        raise UnreachableError(f"kustomize did not build {folder.name} within {_TIMEOUT_S} s") from error
    except subprocess.CalledProcessError as error:
        said = error.stderr.decode(errors="replace").strip().replace(str(folder), folder.name)
        raise InputError(folder.name, f"cannot be built by kustomize: {said}") from error
    return done.stdout.decode()
