"""What a cluster says of a rollout, in lines for people."""

from flows.promotion.argo import Sync
from flows.promotion.parting import Truths
from flows.promotion.ray_service import Group, RayServiceView, upgrade

Line = tuple[str, str]


def cluster_lines(truths: Truths, sync: Sync | str) -> list[Line]:
    """Argo CD and the RayService; nothing where no cluster serves."""
    lines = [("Argo CD", _sync(sync) if isinstance(sync, Sync) else f"says nothing: {sync}")] if sync else []
    if "cluster" in truths.troubles:
        return [*lines, ("RayService", truths.troubles["cluster"])]
    view = truths.cluster
    if view is None:
        return lines
    upgrading = upgrade(view)
    return [
        *lines,
        ("RayService", _service(view)),
        *([("Upgrade", upgrading)] if upgrading else []),
        *(("Bounds", _bounds(group)) for group in view.bounds),
    ]


def _sync(sync: Sync) -> str:
    compared = f"{sync.name} is {sync.status or 'Unknown'} with {sync.revision[:12] or 'no commit'}"
    last = (
        f"last operation {sync.phase}{f' ({sync.message})' if sync.message else ''}" if sync.phase else "no operation"
    )
    return f"{compared}, {sync.health or 'Unknown'}, {last}"


def _service(view: RayServiceView) -> str:
    if not view.generation:
        return "there is none"
    seen = "" if view.observed == view.generation else f", of which KubeRay tells of {view.observed}"
    said = f", its application {view.status}" if view.status else ""
    active = f"cluster {view.active} is active{said}, {_ends(view)}" if view.active else "no cluster is active"
    failed = f", and its application is {view.pending_status}" if view.pending_status else ""
    pending = f"; {view.pending} is being made{failed}" if view.pending else ""
    refused = f"; KubeRay does not act on it: {view.refused}" if view.refused else ""
    return f"generation {view.generation}{seen} names {view.digest[:12] or 'nothing'}; {active}{pending}{refused}"


def _ends(view: RayServiceView) -> str:
    return "1 endpoint" if view.endpoints == 1 else f"{view.endpoints} endpoints"


def _bounds(group: Group) -> str:
    manifest, running = (f"{low} to {high}" for low, high in (group.manifest, group.running))
    return f"workers {group.name}: {manifest} by the manifest, {running} in the cluster; a new one takes them up"
