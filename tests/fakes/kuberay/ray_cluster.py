"""One RayCluster with Ray Serve in it: replicas that come, load, lag, fail and go, and the head that may be lost."""

import random
from dataclasses import dataclass, field
from typing import Any

from flows.promotion.edit import APPLICATION, DEPLOYMENT
from serving.failure import Failure, Kind

OLD, NEW, NEXT = "0" * 64, "1" * 64, "2" * 64
HEALTHY = (OLD, NEXT)
Json = dict[str, Any]


@dataclass
class Store:
    """The bundle store. good: whether NEW can be served at all; replaced: it holds other content under NEW by now.

    known_from: the first configuration of pods whose image knows the format of NEW.
    """

    good: bool = True
    away: bool = False
    replaced: bool = False
    known_from: int = 1

    def load(self, digest: str, config: str, chance: random.Random) -> Failure | None:
        """Why a replica of pods of that configuration cannot load it now; None when it can."""
        if self.away:
            return Failure(digest, Kind.UNREACHABLE, "the store is away")
        if digest == NEW and (not self.good or self.replaced):
            return Failure(digest, chance.choice([Kind.DIGEST, Kind.CORRUPT]), "not what was registered")
        if digest == NEW and int(config) < self.known_from:
            return Failure(digest, Kind.FORMAT, "a later format")
        if chance.random() < 0.03:  # a torn cache, a full disk: this replica alone
            return Failure(digest, chance.choice([Kind.DIGEST, Kind.OTHER]), "a bad day")
        return None


@dataclass
class SimReplica:
    """As serving.holder: a first load that fails falls back on the bundle before, a later one serves on.

    stuck: it hears of no configuration; unheard: Serve calls it RUNNING, and nobody who asks the fleet knows of it yet;
    draining: its node is to go, so that it gets requests until another one has started, and no configuration.
    """

    name: str
    served: str = ""
    desired: str = ""
    failure: Failure | None = None
    stuck: bool = False
    unheard: bool = False
    draining: bool = False

    def state(self) -> Json:
        """As serving.describe tells it."""
        told = {"replica": self.name, "served": self.served, "desired": self.desired}
        failed = self.failure
        return told | (
            {"error": failed.text, "error_kind": failed.kind, "error_digest": failed.digest} if failed else {}
        )


@dataclass
class SimCluster:
    """config: of its pods; ready_at: when its head answers. applied: digest that was PUT last, "" for none yet."""

    name: str
    config: str
    ready_at: float
    size: int = 2
    applied: str = ""
    previous: str = ""
    status: str = ""
    message: str = ""
    replicas: list[SimReplica] = field(default_factory=list)
    ended_at: float | None = None

    def put(self, digest: str) -> None:
        """Serve accepts a configuration at once; what it means comes later."""
        if digest != self.applied:
            self.previous, self.applied = self.applied or OLD, digest
        self.status = self.status or "DEPLOYING"

    def lose_head(self, now: float) -> None:
        """Without GCS fault tolerance everything that Serve knew is gone with the head."""
        self.applied = self.previous = self.status = self.message = ""
        self.replicas, self.ready_at = [], now + 5

    def step(self, store: Store, chance: random.Random, calm: bool = True) -> None:
        """Serve's controller and the replicas go on a little; calm: none of them dies."""
        if not self.applied:
            return
        if not calm and chance.random() < 0.02 and self.replicas:
            self.replicas.pop(chance.randrange(len(self.replicas)))
        if len([one for one in self.replicas if not one.draining]) < self.size and chance.random() < 0.5:
            self._start(store, chance)
        for replica in self.replicas:
            if (
                not replica.stuck and not replica.draining and chance.random() < 0.5
            ):  # reconfigure returns at once and loads behind; some lag
                replica.desired = self.applied
            if replica.served != replica.desired and chance.random() < 0.5:
                replica.failure = store.load(replica.desired, self.config, chance)
                replica.served = replica.served if replica.failure else replica.desired
        self.replicas = [one for one in self.replicas if not one.draining or chance.random() < 0.98]
        if self.replicas and chance.random() < 0.6:
            self.status, self.message = "RUNNING", ""

    def _start(self, store: Store, chance: random.Random) -> None:
        name = f"{self.name}-{chance.randrange(10**6)}"
        for digest in dict.fromkeys((self.applied, self.previous)):
            failure = store.load(digest, self.config, chance)
            if failure is None:
                self.replicas.append(SimReplica(name, digest, self.applied))
                return
            if digest == self.applied and not self.replicas:
                self.status, self.message = "DEPLOY_FAILED", failure.mark

    def answer(self) -> Json:
        """As Serve's REST API lists this application; empty before it was PUT."""
        if not self.applied:
            return {}
        config = {"deployments": [{"name": DEPLOYMENT, "user_config": {"bundle": {"digest": self.applied}}}]}
        states = {False: "RUNNING", True: "PENDING_MIGRATION"}
        replicas = [{"replica_id": one.name, "state": states[one.draining]} for one in self.replicas]
        return {
            "status": self.status,
            "message": self.message,
            "deployed_app_config": {"name": APPLICATION, **config},
            "deployments": {DEPLOYMENT: {"message": self.message, "replicas": replicas}},
        }

    def object(self) -> Json:
        """The RayCluster."""
        groups = [{"groupName": "serve", "replicas": self.size, "minReplicas": 1, "maxReplicas": 4}]
        return {"metadata": {"name": self.name}, "spec": {"rayVersion": self.config, "workerGroupSpecs": groups}}
