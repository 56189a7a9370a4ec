"""What the sidecar of a pod answers to a call, by the policies of security.istio.io/v1: pure, refusing unknown fields.

In Istio's order: mutual TLS (PeerAuthentication), tokens (RequestAuthentication), then AuthorizationPolicy with CUSTOM,
DENY, ALLOW. Policies of the pod's own namespace are looked at; there are none of the whole mesh.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from tests.manifests.mesh.network_policy import Document, Endpoint, selects
from tests.manifests.mesh.tokens import FORBIDDEN, Refused, sender_of

OK, NO_CONNECTION = 200, 0


@dataclass(frozen=True)
class Call:
    """One request: ``identity`` is the caller's mutual TLS principal, empty without a sidecar."""

    path: str
    method: str = "GET"
    identity: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    parameters: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Surroundings:
    """What policies refer to: key sets by address, the answers of CUSTOM providers by name, seconds since 1970."""

    key_sets: Mapping[str, str] = field(default_factory=dict)
    providers: Mapping[str, bool] = field(default_factory=dict)
    now: float = 0.0


def answer(documents: Iterable[Document], pod: Endpoint, call: Call, surroundings: Surroundings) -> int:
    """The status that the caller gets; NO_CONNECTION where it is not even heard."""
    own = [document for document in documents if _concerns(document, pod)]
    if not call.identity and _is_strict(own):
        return NO_CONNECTION
    try:
        rules = [r for each in own if each["kind"] == "RequestAuthentication" for r in each["spec"].get("jwtRules", [])]
        principal = sender_of(rules, call.headers, call.parameters, surroundings.key_sets, surroundings.now)
    except Refused as refused:
        return refused.status
    return OK if _is_authorised(own, call, principal, surroundings.providers) else FORBIDDEN


def _is_authorised(own: list[Document], call: Call, principal: str, providers: Mapping[str, bool]) -> bool:
    custom, deny, allow = (_with_action(own, action) for action in ("CUSTOM", "DENY", "ALLOW"))
    for policy in custom:
        if _matches(policy, call, principal) and not providers[policy["spec"]["provider"]["name"]]:
            return False
    if any(_matches(policy, call, principal) for policy in deny):
        return False
    return not allow or any(_matches(policy, call, principal) for policy in allow)


def _with_action(own: list[Document], action: str) -> list[Document]:
    policies = [document for document in own if document["kind"] == "AuthorizationPolicy"]
    return [policy for policy in policies if policy["spec"].get("action", "ALLOW") == action]


def _concerns(document: Document, pod: Endpoint) -> bool:
    ours = document["apiVersion"].startswith("security.istio.io/")
    if not ours or document["metadata"]["namespace"] != pod.namespace:
        return False
    spec = document["spec"]
    known = {"selector", "mtls", "jwtRules", "action", "rules", "provider"}
    assert spec.keys() <= known, f"{spec.keys() - known} is not simulated"
    return selects(spec.get("selector", {}), pod.labels)


def _is_strict(own: list[Document]) -> bool:
    """The pod's own PeerAuthentication comes before its namespace's; without one, Istio takes both kinds of call."""
    specs = [document["spec"] for document in own if document["kind"] == "PeerAuthentication"]
    specs.sort(key=lambda spec: "selector" in spec)
    return bool(specs) and specs[-1].get("mtls", {}).get("mode") == "STRICT"


def _matches(policy: Document, call: Call, principal: str) -> bool:
    """Whether any rule does; a policy without rules matches nothing, a rule without conditions everything."""
    return any(_rule_matches(rule, call, principal) for rule in policy["spec"].get("rules", []))


def _rule_matches(rule: Document, call: Call, principal: str) -> bool:
    assert rule.keys() <= {"from", "to"}, f"{rule.keys()} is not simulated"
    sources = [source["source"] for source in rule.get("from", [])]
    operations = [operation["operation"] for operation in rule.get("to", [])]
    from_holds = not sources or any(_holds(s, _told(call, principal)) for s in sources)
    return from_holds and (not operations or any(_holds(o, _asked(call)) for o in operations))


def _told(call: Call, principal: str) -> dict[str, str]:
    return {"principals": call.identity.removeprefix("spiffe://"), "requestPrincipals": principal}


def _asked(call: Call) -> dict[str, str]:
    return {"paths": call.path.partition("?")[0], "methods": call.method}


def _holds(conditions: Document, facts: Mapping[str, str]) -> bool:
    """All of them; ``notX`` is X turned round."""
    for name, patterns in conditions.items():
        negative = name.startswith("not")
        positive = name[3].lower() + name[4:] if negative else name
        assert positive in facts, f"{name} is not simulated"
        if any(_like(pattern, facts[positive]) for pattern in patterns) == negative:
            return False
    return True


def _like(pattern: str, value: str) -> bool:
    if pattern == "*":
        return value != ""
    if pattern.endswith("*"):
        return value.startswith(pattern[:-1])
    return value.endswith(pattern[1:]) if pattern.startswith("*") else value == pattern
