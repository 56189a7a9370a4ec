"""The objects of an overlay as Kubernetes would get them."""

from copy import deepcopy
from functools import cache
from typing import Any

from tests.manifests.checking.documents import load_all
from tests.manifests.checking.rendering import ROOT, text

__all__ = ["ROOT", "documents", "find"]


def documents(overlay: str) -> list[dict[str, Any]]:
    """Every object of the overlay: built with kubectl, or read from its golden file on a machine without kubectl."""
    return deepcopy(_parsed(overlay))


def find(overlay: str, kind: str, name: str) -> dict[str, Any]:
    """The one object of this kind and name. AssertionError when there is none, or more than one."""
    found = [found for found in documents(overlay) if (found["kind"], found["metadata"]["name"]) == (kind, name)]
    assert len(found) == 1, f"{overlay}: {len(found)} objects are {kind} {name}"
    return found[0]


@cache
def _parsed(overlay: str) -> list[dict[str, Any]]:
    return load_all(text(overlay))
