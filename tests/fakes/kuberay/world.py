"""Git, Argo CD, KubeRay and the clusters it makes, in one random world on a clock of its own."""

import json
import random
from dataclasses import dataclass, field, replace
from typing import Any

from flows.promotion.edit import APPLICATION, DEPLOYMENT
from flows.promotion.observation import Content, Head, Look
from flows.promotion.ray_objects import view_ray_service
from flows.promotion.ray_service import RayServiceView, unsettled, upgrade
from flows.promotion.serve_answers import read_application, read_replica
from tests.fakes.kuberay.operator import Operator
from tests.fakes.kuberay.ray_cluster import NEW, NEXT, OLD, SimCluster, Store

Json = dict[str, Any]
HEAD = Head("c1", "file:///new", NEW, "m", "2")


@dataclass
class World:
    """A RayService that serves OLD, and a head that names NEW. calm: nothing goes wrong that nobody caused.

    selected: the cluster that the services lead to; made: how many clusters there have been. asked: the configuration
    of pods that the object asked for when a verifier looked at it last, 0 where the API did not answer.
    """

    chance: random.Random
    calm: bool = False
    now: float = 0.0
    head: Head = HEAD
    config: str = "1"
    store: Store = field(default_factory=Store)
    selected: str = "c1"
    made: int = 1
    asked: int = 0
    clusters: dict[str, SimCluster] = field(default_factory=dict)
    service: Json = field(default_factory=dict)
    operator: Operator = field(init=False)
    operator_away_until: float = 0.0
    argo_away_until: float = 0.0
    _views: dict[str, RayServiceView] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.operator = Operator(self)
        first = SimCluster("c1", "1", 0.0)
        first.put(OLD)
        self.clusters["c1"] = first
        side = {"rayClusterName": "c1", "applicationStatuses": {APPLICATION: {"status": "RUNNING"}}}
        self.service = {
            "metadata": {"name": APPLICATION, "generation": 1, "resourceVersion": 1},
            "spec": {"valid": True, "serveConfigV2": _config(OLD), "rayClusterConfig": _cluster_config("1")},
            "status": {"observedGeneration": 1, "activeServiceStatus": side, "pendingServiceStatus": {}},
        }
        settled = random.Random(1)
        for _ in range(50):
            first.step(Store(), settled)
        self.operator.configs["c1"] = _config(OLD)

    def step(self, seconds: float) -> None:
        """Time goes on, and something may happen."""
        self.now += seconds
        chance = self.chance.random
        if chance() < 0.5 and self.now >= self.argo_away_until:
            self.sync()
        if chance() < 0.8 and self.now >= self.operator_away_until:
            self.operator.step()
        for cluster in self.clusters.values():
            if self.now >= cluster.ready_at:
                cluster.step(self.store, self.chance, self.calm)
        if not self.calm:
            self._trouble()

    def _trouble(self) -> None:
        chance = self.chance.random
        if chance() < 0.01:
            self.operator.restart()
            self.operator_away_until = self.now + self.chance.uniform(0, 20)
        if chance() < 0.004:
            self.head = replace(HEAD, commit="c2", digest=NEXT)
        if chance() < 0.01:
            self.config = str(int(self.config) + 1)
        if chance() < 0.003 and self.clusters:
            self.chance.choice(list(self.clusters.values())).lose_head(self.now)
        if chance() < 0.02:
            self.store.away = not self.store.away
        if chance() < 0.002:
            self.store.replaced = True
        for replica in (one for cluster in self.clusters.values() for one in cluster.replicas):
            replica.stuck ^= chance() < 0.01
            replica.unheard ^= chance() < 0.01
            replica.draining |= chance() < 0.005
        if chance() < 0.005:
            self.argo_away_until = self.now + self.chance.uniform(0, 30)
        if chance() < 0.005:
            self._by_hand()
        if chance() < 0.005:
            self.service["spec"]["valid"] = not self.service["spec"]["valid"]
            self._touch()

    def _by_hand(self) -> None:
        """Somebody goes past git: into the object, or past that to Serve."""
        if self.chance.random() < 0.5:
            self.service["spec"]["serveConfigV2"] = _config(self.chance.choice([OLD, NEW]))
            self._touch()
        elif self.clusters:
            self.chance.choice(list(self.clusters.values())).put(self.chance.choice([OLD, NEW]))

    def sync(self) -> None:
        """Argo CD: the object as git has it."""
        spec = self.service["spec"]
        wanted = {"serveConfigV2": _config(self.head.digest), "rayClusterConfig": _cluster_config(self.config)}
        if {key: spec[key] for key in wanted} != wanted:
            spec.update(wanted)
            self._touch()

    def _touch(self) -> None:
        self.service["metadata"]["generation"] += 1
        self.service["metadata"]["resourceVersion"] += 1

    def digest_in(self, config: str) -> str:
        """The digest that a serveConfigV2 names."""
        found: str = json.loads(config)["applications"][0]["deployments"][0]["user_config"]["bundle"]["digest"]
        return found

    def view(self) -> RayServiceView:
        """What the Kubernetes API shows; read again only where an object is another one."""
        clusters = [cluster.object() for cluster in self.clusters.values()]
        key = json.dumps([self.service["metadata"], clusters])
        if key not in self._views:
            self._views[key] = view_ray_service(self.service, clusters, APPLICATION, DEPLOYMENT)
        return self._views[key]

    def behind(self) -> list[SimCluster]:
        """The cluster that a new request reaches, first, and those that a kept connection may still reach."""
        first = [cluster for name, cluster in self.clusters.items() if name == self.selected]
        return first + [
            cluster for name, cluster in self.clusters.items() if name != self.selected and cluster.replicas
        ]

    def look(self, at_s: float) -> Look:
        """What a verifier sees, one answer after the other: between any two of them the world goes on."""
        chance = self.chance.random
        view = self.view() if self.calm or chance() > 0.02 else None
        self.asked = int(self.service["spec"]["rayClusterConfig"]["rayVersion"]) if view else 0
        self._meanwhile()
        head = self.clusters.get(self.selected)
        answers = head is not None and self.now >= head.ready_at
        application = read_application(head.answer() if head else {}, DEPLOYMENT)
        self._meanwhile()
        reached = self.behind()
        asked = reached[0] if reached and chance() < 0.9 else self.chance.choice(reached) if reached else None
        replicas = tuple(read_replica(one.state()) for one in (asked.replicas if asked else ()) if not one.unheard)
        self._meanwhile()
        loads = self.store.good and not self.store.replaced
        content = Content.UNSEEN if self.store.away else Content.INTACT if loads else Content.BROKEN
        answered = self.chance.choice(asked.replicas).served if asked and asked.replicas else ""
        self._meanwhile()
        return Look(
            at_s=at_s,
            head=self.head if self.calm or chance() > 0.02 else None,
            applied=application.applied,
            status=application.status,
            message=application.message,
            running=application.running,
            replicas=replicas,
            answered=answered,
            content=content,
            unsettled=unsettled(view, NEW) if view else "",
            upgrading=upgrade(view) if view else "nobody can say",
            trouble="" if view and answers and (self.calm or chance() > 0.02) else "somebody does not answer",
            refused=not self.calm and chance() < 0.001,
        )

    def _meanwhile(self) -> None:
        if self.chance.random() < 0.2:
            self.step(0.05)


def _config(digest: str) -> str:
    bundle = {"user_config": {"bundle": {"digest": digest}}}
    return json.dumps({"applications": [{"name": APPLICATION, "deployments": [{"name": DEPLOYMENT, **bundle}]}]})


def _cluster_config(version: str) -> Json:
    return {"rayVersion": version, "workerGroupSpecs": [{"groupName": "serve", "minReplicas": 1, "maxReplicas": 4}]}
