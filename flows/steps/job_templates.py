"""Templates of RayJobs out of a file or an overlay, for whoever edits them: a cluster has its own in a ConfigMap."""

from collections.abc import Mapping
from pathlib import Path

import yaml

from features.errors import InputError
from flows.adapters.kustomize import build_overlay

_NAME = "rayjob-templates"


def read_templates(place: Path) -> Mapping[str, str]:
    """Texts by key, of the ConfigMap in a file of YAML, or in what kustomize makes of a folder. Raises InputError."""
    try:
        text = build_overlay(place) if place.is_dir() else place.read_text(encoding="utf-8")
        documents = list(yaml.safe_load_all(text or ""))
    except OSError as error:
        rule = f"must be a file or an overlay ({error.strerror or error})"
        raise InputError("--templates", rule, str(place)) from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InputError("--templates", f"must be YAML ({' '.join(str(error).split())})", str(place)) from error
    for found in documents:
        if isinstance(found, dict) and found.get("kind") == "ConfigMap":
            metadata, data = found.get("metadata") or {}, found.get("data") or {}
            if metadata.get("name") == _NAME:
                return {key: str(text) for key, text in data.items()}
    rule = f"must hold the ConfigMap {_NAME} (an overlay needs kubectl or kustomize to be built)"
    raise InputError("--templates", rule, str(place))
