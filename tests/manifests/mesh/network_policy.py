"""What NetworkPolicies let through, as networking.k8s.io/v1 defines it: pure, and refusing fields it does not know.

Addresses belong to what has no pod; as in most networks, an ``ipBlock`` does not speak of pods.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network
from typing import Any

Document = Mapping[str, Any]


@dataclass(frozen=True)
class Endpoint:
    """A pod (namespace and labels), or something outside the cluster's network (an address)."""

    namespace: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    address: str = ""


@dataclass(frozen=True)
class Flow:
    """One connection."""

    source: Endpoint
    destination: Endpoint
    port: int
    protocol: str = "TCP"


def policies_of(documents: Iterable[Document]) -> list[Document]:
    return [document for document in documents if document["kind"] == "NetworkPolicy"]


def passes(policies: Iterable[Document], flow: Flow) -> bool:
    """Whether the source may open the connection and the destination may take it."""
    policies = list(policies)
    return _open(policies, flow, "Egress") and _open(policies, flow, "Ingress")


def selects(selector: Document, labels: Mapping[str, str]) -> bool:
    """Whether a label selector selects an object with these labels; an empty one selects all."""
    assert selector.keys() <= {"matchLabels", "matchExpressions"}, selector
    exact = all(labels.get(key) == value for key, value in selector.get("matchLabels", {}).items())
    return exact and all(_holds(wanted, labels) for wanted in selector.get("matchExpressions", []))


def _holds(wanted: Document, labels: Mapping[str, str]) -> bool:
    value, values = labels.get(wanted["key"]), wanted.get("values", [])
    return {
        "In": value in values,
        "NotIn": value not in values,
        "Exists": value is not None,
        "DoesNotExist": value is None,
    }[wanted["operator"]]


def _open(policies: list[Document], flow: Flow, direction: str) -> bool:
    near, far = (flow.source, flow.destination) if direction == "Egress" else (flow.destination, flow.source)
    own = [
        policy
        for policy in policies
        if policy["metadata"]["namespace"] == near.namespace
        and direction in policy["spec"]["policyTypes"]
        and selects(policy["spec"]["podSelector"], near.labels)
    ]
    rules = [(policy, rule) for policy in own for rule in policy["spec"].get(direction.lower(), [])]
    peers = "to" if direction == "Egress" else "from"
    return not own or any(
        _matches_peer(rule.get(peers), far, policy) and _matches_port(rule.get("ports"), flow) for policy, rule in rules
    )


def _matches_peer(peers: list[Document] | None, far: Endpoint, policy: Document) -> bool:
    return not peers or any(_is(peer, far, policy["metadata"]["namespace"]) for peer in peers)


def _is(peer: Document, far: Endpoint, home: str) -> bool:
    assert {"ipBlock", "podSelector", "namespaceSelector"} >= peer.keys() > set(), peer
    if "ipBlock" in peer:
        return bool(far.address) and _contains(peer["ipBlock"], far.address)
    if far.address:
        return False
    if "namespaceSelector" in peer:
        there = selects(peer["namespaceSelector"], {"kubernetes.io/metadata.name": far.namespace})
    else:
        there = far.namespace == home
    return there and selects(peer.get("podSelector", {}), far.labels)


def _contains(block: Document, address: str) -> bool:
    given = ip_address(address)
    return given in ip_network(block["cidr"]) and not any(given in ip_network(out) for out in block.get("except", []))


def _matches_port(ports: list[Document] | None, flow: Flow) -> bool:
    return not ports or any(
        port.get("protocol", "TCP") == flow.protocol and port["port"] <= flow.port <= port.get("endPort", port["port"])
        for port in ports
    )
