"""What differs between a laptop's node and a cluster of several."""

from tests.manifests.overlays import documents, find
from tests.manifests.ray.test_rayservice import cluster, container, head, service, worker


def test_minikube_has_no_room_for_a_second_cluster_and_makes_none() -> None:
    assert service("minikube")["upgradeStrategy"] == {"type": "None"}
    assert service("aws")["upgradeStrategy"] == {"type": "NewCluster"}


def test_minikube_has_one_worker_and_no_autoscaler() -> None:
    assert cluster("minikube")["enableInTreeAutoscaling"] is False
    assert "autoscalerOptions" not in cluster("minikube")
    assert [worker("minikube")[key] for key in ("replicas", "minReplicas", "maxReplicas")] == [1, 1, 1]


def test_minikubes_jobs_run_on_the_head_of_the_shared_cluster() -> None:
    found = find("minikube", "RayCluster", "ray-cluster")["spec"]
    assert found["enableInTreeAutoscaling"] is False
    assert found["headGroupSpec"]["rayStartParams"]["num-cpus"] == "2"
    assert [found["workerGroupSpecs"][0][key] for key in ("replicas", "minReplicas", "maxReplicas")] == [0, 0, 0]


def test_workers_of_aws_scale_and_stand_on_nodes_of_their_own() -> None:
    assert cluster("aws")["enableInTreeAutoscaling"] is True
    assert [worker("aws")[key] for key in ("replicas", "minReplicas", "maxReplicas")] == [2, 2, 6]
    spec = worker("aws")["template"]["spec"]
    (apart,) = spec["affinity"]["podAntiAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
    (zone,) = spec["topologySpreadConstraints"]
    assert [one["topologyKey"] for one in (apart, zone)] == ["kubernetes.io/hostname", "topology.kubernetes.io/zone"]
    for one in (apart, zone):
        assert one["labelSelector"]["matchLabels"] == {"vigia/role": "serve-worker"}
        assert one["matchLabelKeys"] == ["ray.io/cluster"]  # two clusters stand side by side during an upgrade


def test_replicas_of_aws_outlive_the_head() -> None:
    told = cluster("aws")["gcsFaultToleranceOptions"]
    assert told["redisAddress"].startswith("rediss://")
    wanted = told["redisPassword"]["valueFrom"]["secretKeyRef"]
    secret = find("aws", "ExternalSecret", wanted["name"])["spec"]
    assert wanted["key"] in [one["secretKey"] for one in secret["data"]]
    assert "externalStorageNamespace" not in told  # of two clusters side by side each has its own


def test_pods_of_aws_have_roles_and_no_keys() -> None:
    groups = [head("aws"), worker("aws"), find("aws", "RayCluster", "ray-cluster")["spec"]["headGroupSpec"]]
    assert all("envFrom" not in container(group) for group in groups)
    for name in ("ray-serve", "ray-train", "vigia-ops"):
        assert "eks.amazonaws.com/role-arn" in find("aws", "ServiceAccount", name)["metadata"]["annotations"]


def test_pods_of_minikube_have_the_keys_of_their_identity() -> None:
    for group in (head("minikube"), worker("minikube")):
        assert container(group)["envFrom"] == [{"secretRef": {"name": "s3-serve-secret"}}]
    group = find("minikube", "RayCluster", "ray-cluster")["spec"]["headGroupSpec"]
    assert container(group)["envFrom"] == [{"secretRef": {"name": "s3-train-secret"}}]


def test_one_role_alone_has_rights_of_ours_in_kubernetes() -> None:
    for overlay in ("minikube", "aws"):
        bindings = [one for one in documents(overlay) if one["kind"] == "RoleBinding"]
        mine = [one for one in bindings if one["metadata"]["namespace"] == "ml-dev"]
        assert [subject["name"] for one in mine for subject in one["subjects"]] == ["vigia-ops"]


def test_nobody_may_change_what_serves_but_through_git() -> None:
    rules = find("minikube", "Role", "vigia-ops")["rules"]
    verbs = {verb for rule in rules if {"rayservices", "rayclusters"} & {*rule["resources"]} for verb in rule["verbs"]}
    assert verbs == {"get", "list", "watch"}
