"""The two simulations against small policies whose meaning Kubernetes and Istio document."""

from typing import Any

import pytest

from tests.manifests.mesh.authorization import Call, Surroundings, answer
from tests.manifests.mesh.network_policy import Endpoint, Flow, passes

POD = Endpoint("ml-dev", {"app": "a"})
PEER = Endpoint("ml-dev", {"app": "b"})
FAR = Endpoint("other", {"app": "b"})


def network_policy(name: str = "p", selector: dict[str, Any] | None = None, **spec: Any) -> dict[str, Any]:
    types = [kind for kind in ("Ingress", "Egress") if kind.lower() in spec]
    metadata = {"name": name, "namespace": "ml-dev"}
    return {"metadata": metadata, "spec": {"podSelector": selector or {}, "policyTypes": types, **spec}}


def test_a_pod_that_no_policy_selects_is_open() -> None:
    assert passes([network_policy(selector={"matchLabels": {"app": "c"}}, ingress=[])], Flow(FAR, POD, 80))


def test_a_pod_that_a_policy_selects_is_closed_but_for_its_rules_in_that_direction_alone() -> None:
    policies = [network_policy(ingress=[{"ports": [{"port": 80}]}])]
    assert passes(policies, Flow(FAR, POD, 80))
    assert not passes(policies, Flow(FAR, POD, 81))
    assert passes(policies, Flow(POD, FAR, 81))


def test_what_one_policy_allows_no_other_takes_away() -> None:
    policies = [network_policy("none", ingress=[]), network_policy("all", ingress=[{}])]
    assert passes(policies, Flow(FAR, POD, 80))


def test_both_ends_must_agree() -> None:
    out = network_policy("out", {"matchLabels": {"app": "b"}}, egress=[{"to": [{"podSelector": {}}]}])
    shut = network_policy("shut", {"matchLabels": {"app": "a"}}, ingress=[])
    assert passes([out], Flow(PEER, POD, 80))
    assert not passes([out, shut], Flow(PEER, POD, 80))


@pytest.mark.parametrize(
    ("peer", "near", "far"),
    [
        ({"podSelector": {}}, True, False),
        ({"namespaceSelector": {}}, True, True),
        ({"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "other"}}}, False, True),
        ({"namespaceSelector": {}, "podSelector": {"matchLabels": {"app": "c"}}}, False, False),
    ],
)
def test_a_peer_is_of_the_policys_namespace_unless_it_names_another(
    peer: dict[str, Any], near: bool, far: bool
) -> None:
    policies = [network_policy(selector={"matchLabels": {"app": "a"}}, ingress=[{"from": [peer]}])]
    assert [passes(policies, Flow(source, POD, 80)) for source in (PEER, FAR)] == [near, far]


def test_a_block_of_addresses_is_for_what_has_no_pod_and_has_exceptions() -> None:
    policies = [network_policy(egress=[{"to": [{"ipBlock": {"cidr": "10.0.0.0/8", "except": ["10.1.0.0/16"]}}]}])]
    addresses = ("10.2.0.1", "10.1.0.1", "192.0.2.1")
    assert [passes(policies, Flow(POD, Endpoint(address=a), 80)) for a in addresses] == [True, False, False]
    assert not passes(policies, Flow(POD, FAR, 80))


def test_ports_may_be_a_range_and_are_of_one_protocol() -> None:
    policies = [network_policy(egress=[{"ports": [{"port": 30, "endPort": 40, "protocol": "UDP"}]}])]
    assert passes(policies, Flow(POD, FAR, 40, "UDP"))
    assert not passes(policies, Flow(POD, FAR, 41, "UDP"))
    assert not passes(policies, Flow(POD, FAR, 40))


def policy(action: str = "ALLOW", *rules: dict[str, Any], **spec: Any) -> dict[str, Any]:
    metadata = {"name": "p", "namespace": "ml-dev"}
    kind = {"apiVersion": "security.istio.io/v1", "kind": "AuthorizationPolicy"}
    return {**kind, "metadata": metadata, "spec": {"action": action, "rules": list(rules), **spec}}


def status(policies: list[dict[str, Any]], call: Call, **providers: bool) -> int:
    return answer(policies, POD, call, Surroundings(providers=providers))


def source(**conditions: list[str]) -> dict[str, Any]:
    return {"from": [{"source": conditions}]}


def operation(**conditions: list[str]) -> dict[str, Any]:
    return {"to": [{"operation": conditions}]}


def test_without_a_policy_everything_is_allowed_and_with_an_empty_one_nothing() -> None:
    assert status([], Call("/")) == 200
    assert status([policy()], Call("/")) == 403
    assert status([policy("ALLOW", {})], Call("/")) == 200


def test_a_denial_comes_before_what_is_allowed() -> None:
    policies = [policy("ALLOW", {}), policy("DENY", operation(paths=["/metrics"]))]
    assert [status(policies, Call(path)) for path in ("/metrics", "/metrics?a=1", "/health")] == [403, 403, 200]


def test_a_provider_is_asked_first_and_only_about_what_matches() -> None:
    policies = [policy("CUSTOM", operation(paths=["/a"]), provider={"name": "judge"}), policy("ALLOW", {})]
    assert status(policies, Call("/a"), judge=False) == 403
    assert status(policies, Call("/a"), judge=True) == 200
    assert status(policies, Call("/b"), judge=False) == 200


def test_who_brings_no_token_is_denied_by_its_absence() -> None:
    policies = [policy("DENY", source(notRequestPrincipals=["*"]))]
    assert status(policies, Call("/")) == 403


@pytest.mark.parametrize(
    ("pattern", "matched"), [("/a", {"/a"}), ("/a*", {"/a", "/ab"}), ("*b", {"/ab"}), ("*", {"/a", "/ab", "/c"})]
)
def test_patterns_are_exact_or_have_one_star_at_an_end(pattern: str, matched: set[str]) -> None:
    policies = [policy("ALLOW", operation(paths=[pattern]))]
    assert {path for path in ("/a", "/ab", "/c") if status(policies, Call(path)) == 200} == matched


def test_all_conditions_of_a_rule_must_hold_and_any_rule_will_do() -> None:
    both = source(principals=["x"]) | operation(methods=["GET"], notPaths=["/no"])
    policies = [policy("ALLOW", both, source(principals=["y"]))]
    calls = [Call("/", "GET", "x"), Call("/no", "GET", "x"), Call("/", "POST", "x"), Call("/no", "POST", "y")]
    assert [status(policies, call) for call in calls] == [200, 403, 403, 200]


def test_a_condition_that_is_not_simulated_is_not_passed_over() -> None:
    with pytest.raises(AssertionError, match="ipBlocks"):
        status([policy("ALLOW", source(ipBlocks=["10.0.0.0/8"]))], Call("/"))
