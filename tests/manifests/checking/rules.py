"""All rules, what does not parse before what does not resolve."""

from collections.abc import Callable, Iterable

from tests.manifests.checking import (
    bounds,
    cel,
    credentials,
    enums,
    images,
    mesh,
    monitors,
    names,
    pod_security,
    ports,
    prometheus,
    ray_rules,
    references,
    rights,
    schemas,
    selectors,
    serve_config,
    syntax,
    unique,
    whereabouts,
)
from tests.manifests.checking.documents import Documents
from tests.manifests.checking.finding import Finding
from tests.manifests.checking.rendering import is_whole

Rule = Callable[[Documents], Iterable[Finding]]

RULES: tuple[Rule, ...] = (
    schemas.strict_schema,
    cel.cel_rule,
    enums.known_word,
    syntax.label_syntax,
    syntax.amount_reads,
    syntax.schedule_reads,
    syntax.kubectl_can_apply,
    unique.list_key_once,
    unique.pod_key_once,
    unique.service_port_once,
    names.name_length,
    names.name_letters,
    names.name_once,
    images.image_pinned,
    whereabouts.namespace_exists,
    whereabouts.governing_service_exists,
    whereabouts.principal_exists,
    references.configuration_exists,
    references.service_account_exists,
    references.claim_exists,
    references.mount_has_volume,
    references.scale_target_exists,
    references.role_exists,
    rights.role_words,
    selectors.workload_selects_its_pods,
    selectors.service_selects_pods,
    selectors.policy_selects_pods,
    selectors.peer_selects_pods,
    monitors.service_monitor_target,
    monitors.pod_monitor_port,
    ports.service_target_port,
    ports.policy_port,
    ports.probe_port,
    ports.port_name_and_number,
    mesh.route_destination,
    mesh.gateway_selects_pods,
    mesh.route_gateway,
    mesh.route_host,
    mesh.gateway_certificate,
    mesh.certificate_issuer,
    mesh.self_signed_names_itself,
    mesh.ingress_backend,
    bounds.replica_bounds,
    bounds.request_bounds,
    ray_rules.ray_token_auth,
    ray_rules.ray_group,
    ray_rules.ray_job,
    ray_rules.submitter_ends,
    serve_config.serve_config_accepted,
    serve_config.serve_replicas_fit,
    pod_security.runs_as_non_root,
    pod_security.no_privilege_escalation,
    pod_security.drops_capabilities,
    pod_security.has_seccomp_profile,
    pod_security.has_resources,
    pod_security.has_read_only_root,
    pod_security.shares_nothing_with_the_host,
    pod_security.token_only_with_rights,
    credentials.git_credential_outside_ray,
    credentials.secret_without_value,
    prometheus.prometheus_rules,
)

FOR_A_PART: tuple[Rule, ...] = (serve_config.serve_config_accepted, credentials.secret_without_value)


def rules_of(overlay: str) -> tuple[Rule, ...]:
    """All rules, or those that a part of a resource can keep, where kustomize builds nothing."""
    return RULES if is_whole(overlay) else FOR_A_PART


def check(documents: Documents, rules: tuple[Rule, ...] = RULES) -> list[Finding]:
    """Every finding; of the schemas alone where there is one, for the other rules read what those promise."""
    found: list[Finding] = []
    for rule in rules:
        found += rule(documents)
        if rule is schemas.strict_schema and found:
            break
    return found
