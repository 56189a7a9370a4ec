"""`make render`: manifests/templates become the ConfigMap that `vigia submit` reads, and Minikube's form of it.

A job's file is laid over rayjob.yaml: mappings key by key, lists of named things by name, anything else as a whole.
On Minikube jobs run on the shared RayCluster: a cluster for each finds no room there.
"""

from pathlib import Path
from typing import Any

import yaml

_MANIFESTS = Path(__file__).parents[1] / "manifests"
_JOBS = ("train", "validate", "drift")
_HEAD = "# Made by `make render` from manifests/templates: edit those.\n"
BASE = _MANIFESTS / "base/schedules/rayjob-templates.yaml"
MINIKUBE = _MANIFESTS / "overlays/minikube/ray/rayjob-templates-patch.yaml"


class _Dumper(yaml.SafeDumper):
    """Block style for texts, nothing by reference."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002
        return True


def _write_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _write_text)


def rendered() -> dict[Path, str]:
    """File to text, of everything that `make render` writes."""
    jobs = {name: job(name) for name in _JOBS}
    return {BASE: _config_map(jobs), MINIKUBE: _config_map({name: _shared(made) for name, made in jobs.items()})}


def job(name: str) -> dict[str, Any]:
    """The whole RayJob of ``rayjob-<name>.yaml``."""
    made: dict[str, Any] = laid_over(_read("rayjob.yaml"), _read(f"rayjob-{name}.yaml"))
    return made


def laid_over(below: Any, above: Any) -> Any:
    """``above`` laid over ``below``."""
    if isinstance(below, dict) and isinstance(above, dict):
        both = {key: laid_over(below[key], above[key]) if key in below else above[key] for key in above}
        return {**below, **both}
    if _named(below) and _named(above):
        named = {item["name"]: item for item in above}
        kept = [laid_over(item, named.pop(item["name"], {})) for item in below]
        return [*kept, *named.values()]
    return above


def _named(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, dict) and "name" in item for item in value)


def _shared(made: dict[str, Any]) -> dict[str, Any]:
    """The same job on the shared cluster, which it must not shut down."""
    own = {"rayClusterSpec", "shutdownAfterJobFinishes", "ttlSecondsAfterFinished"}
    spec = {key: value for key, value in made["spec"].items() if key not in own}
    return {**made, "spec": {**spec, "clusterSelector": {"ray.io/cluster": "ray-cluster"}}}


def _read(name: str) -> Any:
    return yaml.safe_load((_MANIFESTS / "templates" / name).read_text(encoding="utf-8"))


def _config_map(jobs: dict[str, dict[str, Any]]) -> str:
    texts = {f"rayjob-{name}.yaml": _dumped(made) for name, made in jobs.items()}
    found = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "rayjob-templates"}, "data": texts}
    return _HEAD + _dumped(found)


def _dumped(value: Any) -> str:
    return yaml.dump(value, Dumper=_Dumper, sort_keys=False, width=120)


if __name__ == "__main__":
    for file, text in rendered().items():
        file.write_text(text, encoding="utf-8")
