"""The objects of an overlay as Kubernetes would get them."""

import os
import shutil
import subprocess
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from tests.system import require_program

ROOT = Path(__file__).parents[2]
GOLDEN = Path(__file__).parent / "golden"


def documents(overlay: str) -> list[dict[str, Any]]:
    """Every object of the overlay: built with kubectl, or read from its golden file on a machine without kubectl.

    VIGIA_REQUIRE_SYSTEM_PACKAGES=1 makes a missing kubectl a failure, as for every other program.
    """
    return deepcopy(_parsed(overlay))


def find(overlay: str, kind: str, name: str) -> dict[str, Any]:
    """The one object of this kind and name. AssertionError when there is none, or more than one."""
    found = [found for found in documents(overlay) if (found["kind"], found["metadata"]["name"]) == (kind, name)]
    assert len(found) == 1, f"{overlay}: {len(found)} objects are {kind} {name}"
    return found[0]


@cache
def _parsed(overlay: str) -> list[dict[str, Any]]:
    return list(yaml.load_all(rendered(overlay), yaml.CSafeLoader))


@cache
def rendered(overlay: str) -> str:
    """The text of the overlay: `kubectl kustomize`, else the golden file. Built once a process."""
    if not shutil.which("kubectl") and os.environ.get("VIGIA_REQUIRE_SYSTEM_PACKAGES") != "1":
        return (GOLDEN / f"{overlay}.yaml").read_text()
    return build(overlay)


def build(overlay: str) -> str:
    """What `kubectl kustomize` prints. Skips the test where there is no kubectl."""
    kubectl = require_program("kubectl", "kubectl")
    ran = subprocess.run(
        [kubectl, "kustomize", ROOT / "manifests/overlays" / overlay], capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout
