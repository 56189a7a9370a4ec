"""One way, or more, to break each rule."""

from tests.manifests.checking.examples import Break

WEB = "Deployment/web spec.template.spec.containers[0]"
NIGHTLY = "CronJob/nightly spec.jobTemplate.spec.template.spec"
CLUSTER = "RayService/detector spec.rayClusterConfig"
WORKERS = f"{CLUSTER}.workerGroupSpecs[0]"
SERVE = "RayService/detector spec.serveConfigV2"
TWICE = [{"name": "a", "value": "1"}, {"name": "a", "value": "2"}]


def _serve(deployment: str, application: str = "import_path: a:b") -> str:
    return f"applications: [{{name: a, {application}, deployments: [{{name: b, {deployment}}}]}}]"


BREAKS = (
    # What does not parse.
    Break("strict_schema", f"{WEB}.imagePullPolice", "Always"),
    Break("strict_schema", "Deployment/web spec.replicas", "two"),
    Break("strict_schema", f"{CLUSTER}.headGroupSpec.rayStartParam", {}),
    Break("strict_schema", "VirtualService/web spec.http[0].timeout", 5),
    Break("strict_schema", "Gateway/web apiVersion", "networking.istio.io/v9"),
    Break("cel_rule", "RayJob/train spec.managedBy", "me"),
    Break("cel_rule", "RayJob/train spec.deletionStrategy.onFailure", {"policy": "DeleteNone"}),
    Break("cel_rule", "RayJob/train spec.deletionStrategy", {"onFailure": {"policy": "DeleteNone"}}),
    Break("cel_rule", "RayJob/train spec.deletionStrategy.deletionRules[0].condition", {"ttlSeconds": 5}),
    Break("cel_rule", "RayJob/train spec.deletionStrategy.deletionRules[0].condition.jobDeploymentStatus", "Failed"),
    Break("cel_rule", "DestinationRule/detector spec.trafficPolicy.outlierDetection.interval", "0s"),
    Break("known_word", f"{WEB}.imagePullPolicy", "Sometimes"),
    Break("known_word", "PersistentVolumeClaim/web spec.accessModes", ["ReadWriteEver"]),
    Break("known_word", "Service/web spec.type", "Cluster"),
    Break("known_word", "RayService/detector spec.upgradeStrategy", {"type": "Recreate"}),
    Break("list_key_once", f"{CLUSTER}.headGroupSpec.template.spec.containers[0].env", TWICE),
    Break("pod_key_once", f"{WEB}.env", TWICE),
    Break("service_port_once", "Service/web spec.ports", [{"port": 80}, {"port": 80, "protocol": "TCP"}]),
    Break("name_length", "CronJob/nightly metadata.name", "n" * 53),
    Break("name_length", "RayService/detector metadata.name", "d" * 48),
    Break("name_letters", "Service/web metadata.name", "0web"),
    Break("name_once", "ServiceAccount/ops metadata.name", "web"),
    Break("image_pinned", f"{WEB}.image", "nginx"),
    Break("image_pinned", f"{WEB}.image", "nginx:latest"),
    Break("image_pinned", f"{WEB}.image", "registry.example.org:5000/nginx"),
    Break("image_pinned", f"{NIGHTLY}.containers[0].image", "busybox@sha256:aa"),
    Break("image_pinned", f"{CLUSTER}.autoscalerOptions.image", "rayproject/ray"),
    # What does not resolve.
    Break("configuration_exists", f"{WEB}.env[0].valueFrom.configMapKeyRef.name", "other"),
    Break("configuration_exists", f"{WEB}.env[0].valueFrom.configMapKeyRef.key", "OTHER"),
    Break("configuration_exists", f"{WEB}.env[1].valueFrom.secretKeyRef.key", "OTHER"),
    Break("configuration_exists", f"{WEB}.envFrom", [{"secretRef": {"name": "other"}}]),
    Break("configuration_exists", "Deployment/web spec.template.spec.imagePullSecrets", [{"name": "other"}]),
    Break("configuration_exists", f"{CLUSTER}.authOptions.secretName", "other"),
    Break("service_account_exists", f"{NIGHTLY}.serviceAccountName", "other"),
    Break("claim_exists", "Deployment/web spec.template.spec.volumes[0].persistentVolumeClaim.claimName", "other"),
    Break("mount_has_volume", f"{WEB}.volumeMounts[0].name", "other"),
    Break("scale_target_exists", "HorizontalPodAutoscaler/web spec.scaleTargetRef.name", "other"),
    Break("role_exists", "RoleBinding/ops roleRef.name", "other"),
    Break("role_exists", "RoleBinding/ops subjects[0].name", "other"),
    Break("workload_selects_its_pods", "Deployment/web spec.selector.matchLabels.app", "other"),
    Break("service_selects_pods", "Service/web spec.selector.app", "other"),
    Break("policy_selects_pods", "PodDisruptionBudget/web spec.selector.matchLabels.app", "other"),
    Break("policy_selects_pods", "NetworkPolicy/web spec.podSelector.matchLabels.app", "other"),
    Break("policy_selects_pods", "AuthorizationPolicy/web spec.selector.matchLabels.app", "other"),
    Break("peer_selects_pods", "NetworkPolicy/web spec.ingress[0].from[0].podSelector.matchLabels.job", "other"),
    Break("service_monitor_target", "ServiceMonitor/web spec.selector.matchLabels.app", "other"),
    Break("service_monitor_target", "ServiceMonitor/web spec.endpoints[0].port", "other"),
    Break("pod_monitor_port", "PodMonitor/ray spec.podMetricsEndpoints[0].port", "other"),
    Break("service_target_port", "Service/web spec.ports[0].targetPort", "other"),
    Break("service_target_port", "Service/web spec.ports[0].targetPort", 81),
    Break("probe_port", f"{WEB}.readinessProbe.httpGet.port", 81),
    Break("port_name_and_number", f"{WEB}.ports[0].name", "sixteen-letters-"),
    Break("port_name_and_number", f"{WEB}.ports[0].containerPort", 65536),
    Break("route_destination", "VirtualService/web spec.http[0].route[0].destination.host", "other"),
    Break("route_destination", "VirtualService/web spec.http[0].route[0].destination.port.number", 81),
    Break("route_destination", "DestinationRule/detector spec.host", "detector-serve"),
    Break("route_gateway", "VirtualService/web spec.gateways", ["other"]),
    Break("route_host", "VirtualService/web spec.hosts", ["other.example.org"]),
    Break("gateway_certificate", "Gateway/web spec.servers[0].tls.credentialName", "other"),
    Break("certificate_issuer", "Certificate/web spec.issuerRef.name", "other"),
    Break("ingress_backend", "Ingress/web spec.rules[0].http.paths[0].backend.service.name", "other"),
    Break("ingress_backend", "Ingress/web spec.rules[0].http.paths[0].backend.service.port.name", "other"),
    # What cannot be.
    Break("replica_bounds", "HorizontalPodAutoscaler/web spec.minReplicas", 3),
    Break("replica_bounds", f"{WORKERS}.minReplicas", 3),
    Break("replica_bounds", f"{WORKERS}.replicas", 3),
    Break("replica_bounds", SERVE, _serve("autoscaling_config: {min_replicas: 3, max_replicas: 2}")),
    Break("request_bounds", f"{WEB}.resources.requests.memory", "1Gi"),
    Break("ray_token_auth", f"{CLUSTER}.authOptions.mode", "disabled"),
    Break("ray_token_auth", f"{CLUSTER}.authOptions.secretName"),
    Break("ray_token_auth", f"{CLUSTER}.rayVersion", "2.51.0"),
    Break("ray_group", f"{CLUSTER}.headGroupSpec.resources", {"CPU": "0"}),
    Break("ray_group", f"{CLUSTER}.headGroupSpec.rayStartParams.labels", "a=b"),
    Break("ray_group", f"{WORKERS}.template.spec.restartPolicy", "Always"),
    Break("ray_job", "RayJob/train spec.rayClusterSpec"),
    Break("ray_job", "RayJob/train spec.submissionMode", "SidecarMode"),
    Break("ray_job", "RayJob/drift spec.backoffLimit", 1),
    Break("ray_job", "RayJob/train spec.activeDeadlineSeconds", 0),
    Break("submitter_ends", "RayJob/train spec.submitterPodTemplate.spec.restartPolicy"),
    Break("submitter_ends", f"{NIGHTLY}.restartPolicy", "Always"),
    Break("serve_config_accepted", SERVE, {"applications": []}),
    Break("serve_config_accepted", SERVE, "applications: [{name: a}]"),
    Break("serve_config_accepted", SERVE, _serve("num_replicas: few")),
    Break("serve_config_accepted", SERVE, _serve("max_ongoing_request: 5")),
    Break("serve_replicas_fit", SERVE, _serve("num_replicas: 5, ray_actor_options: {num_cpus: 0.5}")),
    Break("serve_replicas_fit", SERVE, _serve("ray_actor_options: {num_cpus: 2}")),
    Break("serve_replicas_fit", f"{WORKERS}.maxReplicas", 1),
    # What must not be.
    Break("runs_as_non_root", f"{WEB}.securityContext.runAsUser", 0),
    Break("runs_as_non_root", "Deployment/web spec.template.spec.securityContext.runAsNonRoot"),
    Break("no_privilege_escalation", f"{WEB}.securityContext.privileged", True),
    Break("drops_capabilities", f"{WEB}.securityContext.capabilities.add", ["SYS_ADMIN"]),
    Break("has_seccomp_profile", "Deployment/web spec.template.spec.securityContext.seccompProfile.type", "Unconfined"),
    Break("has_resources", f"{WEB}.resources.limits.memory"),
    Break("has_read_only_root", f"{WEB}.securityContext.readOnlyRootFilesystem", False),
    Break("shares_nothing_with_the_host", "Deployment/web spec.template.spec.hostNetwork", True),
    Break(
        "shares_nothing_with_the_host", "Deployment/web spec.template.spec.volumes[0]", {"name": "data", "hostPath": {}}
    ),
    Break("shares_nothing_with_the_host", f"{WEB}.ports[0].hostPort", 80),
    Break("token_only_with_rights", "ServiceAccount/web automountServiceAccountToken"),
    Break("token_only_with_rights", "Deployment/web spec.template.spec.automountServiceAccountToken", True),
    Break(
        "git_credential_outside_ray",
        f"{WORKERS}.template.spec.volumes",
        [{"name": "g", "secret": {"secretName": "vigia-git-secret"}}],
    ),
    Break(
        "git_credential_outside_ray",
        "RayJob/drift spec.submitterPodTemplate.spec.containers[0].envFrom",
        [{"secretRef": {"name": "vigia-git-secret"}}],
    ),
    Break("secret_without_value", "Secret/web-secret stringData", {"PASSWORD": "x"}),
    Break("prometheus_rules", "PrometheusRule/web spec.groups[0].rules[0].expr", "sum(up"),
)
