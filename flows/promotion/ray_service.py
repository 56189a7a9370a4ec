"""What a RayService says of a rollout that is under way; in words, for a verifier, a promotion and people.

Nothing here proves that a bundle is served. KubeRay reads Serve's status before it PUTs a new configuration, and writes
it down as that of the new generation: for two seconds an old RUNNING stands there. So status and conditions only tell
what is still to come; the proof is Serve's own answer and that of every replica.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Group:
    """A worker group of the manifest whose bounds are not those of the cluster that runs; each (min, max)."""

    name: str
    manifest: tuple[int, int]
    running: tuple[int, int]


@dataclass(frozen=True)
class RayServiceView:
    """One look at a RayService; the one without a generation is one that does not exist.

    generation, observed: of the object, and the one that KubeRay's status speaks of. digest: that it names. active,
    pending: names of its clusters; pending_status: why the application fails in the latter, "" where it does not;
    others: clusters of it that are neither, and not gone. under_way: what a condition
    says of an upgrade; refused: why KubeRay does not act on it. changed: whether the active cluster is of another
    configuration than the object asks for. status: the application's, as KubeRay saw it last.
    """

    generation: int = 0
    observed: int = 0
    digest: str = ""
    active: str = ""
    pending: str = ""
    pending_status: str = ""
    others: tuple[str, ...] = ()
    under_way: str = ""
    refused: str = ""
    suspended: bool = False
    changed: bool = False
    status: str = ""
    endpoints: int = 0
    bounds: tuple[Group, ...] = ()


def unsettled(view: RayServiceView, digest: str) -> str:
    """What the cluster has still to do before everything can serve the digest; empty when nothing."""
    if not view.generation:
        return "there is no RayService yet"
    if view.refused:
        return f"KubeRay does not act on it: {view.refused}"
    if view.suspended:
        return "the RayService is suspended"
    if view.digest != digest:
        return f"the RayService names {view.digest[:12] or 'nothing'}, not {digest[:12]}; it is for Argo CD to sync"
    if view.pending:
        beside = f" beside {view.active}" if view.active else ""
        failed = f", and its application is {view.pending_status}" if view.pending_status else ""
        return f"cluster {view.pending} is being made{beside}{failed}"
    if not view.active:
        return "no cluster is active"
    if view.under_way:
        return view.under_way
    if view.others:
        return f"cluster {view.others[0]}, which {view.active} replaced, is not gone yet"
    return ""


def upgrade(view: RayServiceView) -> str:
    """The upgrade of the cluster that is under way, in words; empty for none.

    The first cluster of a RayService is none: it waits for the first promotion. One that is asked for and has not begun
    is none for KubeRay's status: where it may not have looked at the object yet, or has just switched clusters (it then
    leaves what was asked meanwhile to its next look), the specifications are compared. Not elsewhere: Go may write the
    same one in another way.
    """
    if view.active and view.pending:
        return f"{view.pending} is to replace {view.active}"
    if view.under_way:
        return view.under_way
    if view.changed and (view.observed != view.generation or view.others):
        return f"{view.active} is of an earlier configuration, and KubeRay has not begun with the new one yet"
    return ""
