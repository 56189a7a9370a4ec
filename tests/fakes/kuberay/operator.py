"""KubeRay's reconcile of a RayService, step by step: between any two of them, anything else may happen.

Written after ray-operator/controllers/ray/rayservice_controller.go at commit 0110627; each part names the function that
it follows. RayServiceIncrementalUpgrade, which we leave off, is not here.
"""

import copy
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from flows.promotion.edit import APPLICATION
from tests.fakes.kuberay.ray_cluster import SimCluster

if TYPE_CHECKING:
    from tests.fakes.kuberay.world import World

Json = dict[str, Any]
_DELETION_DELAY_S = 60.0  # RayClusterDeletionDelayDuration


class ReconcileError(Exception):
    """A step failed; the next reconcile begins from the start (RequeueAfter: ServiceDefaultRequeueDuration)."""


@dataclass
class Operator:
    """configs: what was PUT to which cluster, in memory alone (ServeConfigs); a restart forgets it."""

    world: "World"
    configs: dict[str, str] = field(default_factory=dict)
    deletions: dict[str, float] = field(default_factory=dict)
    running: Iterator[None] | None = None

    def restart(self) -> None:
        """A new pod: whatever was under way is never finished."""
        self.configs, self.deletions, self.running = {}, {}, None

    def step(self) -> None:
        """Go one step on with the reconcile that is under way, or begin one."""
        self.running = self.running or self._reconcile()
        try:
            next(self.running)
        except (StopIteration, ReconcileError):
            self.running = None

    def _reconcile(self) -> Iterator[None]:
        """Reconcile."""
        service = copy.deepcopy(self.world.service)  # of the informer's cache
        status = service["status"]
        before = copy.deepcopy(status)
        yield
        if not service["spec"]["valid"]:  # validateRayService: nothing else happens, and observedGeneration stays
            _condition(status, "Ready", "False", "ValidationFailed", service)
            return self._write(service)
        self._clean_up(status)
        yield
        active, pending = self._clusters(service)
        yield
        # "If there is no pending cluster, reconcile serve applications for the active cluster": else its applications
        # are not told of the new configuration, and its status is dropped.
        ready = {"active": False, "pending": False}
        applications: dict[str, Json] = {"active": {}, "pending": {}}
        if pending:
            ready["pending"], applications["pending"] = yield from self._serve(service, pending)
        elif active and active.config == service["spec"]["rayClusterConfig"]["rayVersion"]:
            ready["active"], applications["active"] = yield from self._serve(service, active)
        yield
        if pending and ready["pending"]:  # reconcileServicesToReadyCluster
            self.world.selected = pending.name
        elif active and ready["active"]:
            self.world.selected = active.name
        yield
        self._calculate(service, active, pending, applications, any(ready.values()))
        if _inconsistent(before, status):
            self._write(service)
        return None

    def _serve(self, service: Json, cluster: SimCluster) -> Generator[None, None, tuple[bool, Json]]:
        """reconcileServe: the status is read first, and is that of before the PUT."""
        if self.world.now < cluster.ready_at:  # "The head Pod is not ready": no error, so the status is written
            return False, {}
        found = cluster.answer()  # getAndCheckServeStatus
        ready = found.get("status") == "RUNNING"
        yield
        config = service["spec"]["serveConfigV2"]
        if self.configs.get(cluster.name) != config or not found:  # checkIfNeedSubmitServeApplications
            if self.world.chance.random() < 0.1:
                raise ReconcileError("fail to create / update Serve applications")
            cluster.put(self.world.digest_in(config))  # updateServeDeployment
            yield
            self.configs[cluster.name] = config
        told = {key: found[key] for key in ("status", "message") if key in found}
        return ready, {APPLICATION: told} if told else {}

    def _clusters(self, service: Json) -> tuple[SimCluster | None, SimCluster | None]:
        """reconcileRayCluster: a name in the status is a cluster that will be made."""
        status, clusters = service["status"], self.world.clusters
        active = clusters.get(status["activeServiceStatus"].get("rayClusterName", ""))
        wanted = status["pendingServiceStatus"].get("rayClusterName", "")
        if wanted and wanted not in clusters:
            config = service["spec"]["rayClusterConfig"]["rayVersion"]
            clusters[wanted] = SimCluster(wanted, config, self.world.now + self.world.chance.uniform(1, 20))
        return active, clusters.get(wanted)

    def _clean_up(self, status: Json) -> None:
        """cleanUpRayClusterInstance: what is neither active nor pending goes a minute later."""
        names = {status[side].get("rayClusterName", "") for side in ("activeServiceStatus", "pendingServiceStatus")}
        for name in [name for name in self.world.clusters if name not in names]:
            if self.world.now > self.deletions.setdefault(name, self.world.now + _DELETION_DELAY_S):
                del self.world.clusters[name]

    def _calculate(
        self,
        service: Json,
        active: SimCluster | None,
        pending: SimCluster | None,
        applications: dict[str, Json],
        selected: bool,
    ) -> None:
        """calculateStatus, reconcilePromotionAndServingStatus, shouldPrepareNewCluster, calculateConditions."""
        status = service["status"]
        status["observedGeneration"] = service["metadata"]["generation"]
        status["activeServiceStatus"]["applicationStatuses"] = applications["active"]
        status["pendingServiceStatus"]["applicationStatuses"] = applications["pending"]
        serving = selected and self.world.selected == status["pendingServiceStatus"].get("rayClusterName")
        if selected and status["activeServiceStatus"].get("rayClusterName") != self.world.selected:
            status["activeServiceStatus"] = status["pendingServiceStatus"]
            status["pendingServiceStatus"] = {}
        newest = pending or active
        if not serving and (newest is None or newest.config != service["spec"]["rayClusterConfig"]["rayVersion"]):
            self.world.made += 1
            status["pendingServiceStatus"] = {"rayClusterName": f"c{self.world.made}"}
        reachable = self.world.clusters.get(self.world.selected)
        status["numServeEndpoints"] = len(reachable.replicas) if reachable else 0
        ready = "True" if status["numServeEndpoints"] else "False"
        _condition(
            status, "Ready", ready, "NonZeroServeEndpoints" if ready == "True" else "ZeroServeEndpoints", service
        )
        both = all(status[side].get("rayClusterName") for side in ("activeServiceStatus", "pendingServiceStatus"))
        reason = "BothActivePendingClustersExist" if both else "NoPendingCluster"
        _condition(status, "UpgradeInProgress", "True" if both else "False", reason, service)

    def _write(self, service: Json) -> None:
        """Status().Update: refused where somebody else wrote the object meanwhile; tried again from the start."""
        now = self.world.service
        if now["metadata"]["resourceVersion"] == service["metadata"]["resourceVersion"]:
            now["status"] = service["status"]
            now["metadata"]["resourceVersion"] += 1


def _inconsistent(before: Json, after: Json) -> bool:
    """utils.InconsistentRayServiceStatuses: a new observedGeneration alone is not written."""
    return {**before, "observedGeneration": 0} != {**after, "observedGeneration": 0}


def _condition(status: Json, kind: str, value: str, reason: str, service: Json) -> None:
    seen = service["status"].get("observedGeneration", 0)
    told = {"type": kind, "status": value, "reason": reason, "message": "said KubeRay", "observedGeneration": seen}
    others = [one for one in status.get("conditions", []) if one["type"] != kind]
    status["conditions"] = sorted([*others, told], key=lambda one: str(one["type"]))
