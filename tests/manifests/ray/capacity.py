"""What pods ask of the node that runs all of them, in the unit of docs/capacity-minikube.md."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from tests.manifests.checking.pod import Pod
from tests.manifests.checking.quantities import quantity
from tests.manifests.checking.walking import at
from tests.manifests.overlays import ROOT

DOCUMENT = ROOT / "docs/capacity-minikube.md"
_ROW = re.compile(r"^\| (?P<what>[^|]+) \| (?P<cpu>[\d,]+) \| (?P<memory>[\d,]+) \|", re.MULTILINE)
_SIDECAR = "sidecar.istio.io/"


@dataclass(frozen=True)
class Asked:
    """Thousandths of a CPU and MiB of memory."""

    cpu: int = 0
    memory: int = 0

    def __add__(self, other: "Asked") -> "Asked":
        return Asked(self.cpu + other.cpu, self.memory + other.memory)


def total(parts: Iterable[Asked]) -> Asked:
    return sum(parts, Asked())


def rows() -> Iterator[tuple[str, Asked]]:
    """The rows of the document's tables, with numbers in the second and third column."""
    for found in _ROW.finditer(DOCUMENT.read_text(encoding="utf-8")):
        cpu, memory = (int(found[name].replace(",", "")) for name in ("cpu", "memory"))
        yield found["what"].strip(), Asked(cpu, memory)


def asked_by(pod: Pod) -> Asked:
    """What the scheduler reserves for a pod: the most of one init container, or all containers together."""
    own = total(_requests(one) for one in pod.spec["containers"])
    first = [_requests(one) for one in pod.spec.get("initContainers") or ()]
    return Asked(*(max([getattr(own, unit), *(getattr(one, unit) for one in first)]) for unit in ("cpu", "memory")))


def sidecar_of(pod: Pod) -> Asked:
    """What Istio's container beside a pod asks, by the pod's annotations; nothing for a pod outside the mesh."""
    if pod.labels.get(f"{_SIDECAR}inject") != "true":
        return Asked()
    template: Any = pod.owner.body
    for key in re.findall(r"\w+", pod.path):
        template = template[int(key) if key.isdigit() else key]
    told = template["metadata"]["annotations"]
    return _asked(told[f"{_SIDECAR}proxyCPU"], told[f"{_SIDECAR}proxyMemory"])


def requested(values: Any) -> Asked:
    """All ``resources.requests`` in a chart's values."""
    if isinstance(values, list):
        return total(map(requested, values))
    if not isinstance(values, dict):
        return Asked()
    own = at(values, "resources.requests", {})
    here = _asked(own.get("cpu", 0), own.get("memory", 0))
    return here + total(requested(one) for key, one in values.items() if key != "resources")


def _requests(container: dict[str, Any]) -> Asked:
    found = at(container, "resources.requests", {})
    return _asked(found.get("cpu", 0), found.get("memory", 0))


def _asked(cpu: object, memory: object) -> Asked:
    return Asked(int(quantity(cpu) * 1000), int(quantity(memory) / Decimal(2**20)))
