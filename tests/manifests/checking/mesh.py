"""Rules: routes lead to services, gateways and certificates that there are."""

from collections.abc import Iterator
from typing import Any

from tests.manifests.checking.documents import Documents, Resource
from tests.manifests.checking.finding import Finding
from tests.manifests.checking.services import PLATFORM, Service, services
from tests.manifests.checking.walking import at, mappings, matches


def route_destination(documents: Documents) -> Iterator[Finding]:
    for route in documents.of("VirtualService"):
        for path, node in mappings(route.spec, "spec"):
            destination = node.get("destination")
            if isinstance(destination, dict):
                yield from _leads(documents, route, f"{path}.destination", destination)
    for rule in documents.of("DestinationRule"):
        yield from _leads(documents, rule, "spec", rule.spec)


def route_gateway(documents: Documents) -> Iterator[Finding]:
    for route in documents.of("VirtualService"):
        for index, name in enumerate(route.spec.get("gateways") or ()):
            namespace, _, short = name.rpartition("/")
            if name != "mesh" and not documents.find("Gateway", short, namespace or route.namespace):
                yield route.finding(f"spec.gateways[{index}]", "a Gateway that there is", name)


def gateway_selects_pods(documents: Documents) -> Iterator[Finding]:
    for one in documents.of("Gateway", "Telemetry"):
        path = "spec.selector" if one.kind == "Gateway" else "spec.selector.matchLabels"
        selector = at(one.body, path, {})
        if not any(matches(selector, service.labels) for service in PLATFORM):
            yield one.finding(path, "labels of a gateway's pods", selector)


def route_host(documents: Documents) -> Iterator[Finding]:
    """A host that a VirtualService serves at a Gateway is one that the Gateway takes."""
    for route in documents.of("VirtualService"):
        for name in route.spec.get("gateways") or ():
            namespace, _, short = name.rpartition("/")
            gateway = documents.find("Gateway", short, namespace or route.namespace)
            taken = {_host(host) for one in (gateway.spec["servers"] if gateway else ()) for host in one["hosts"]}
            for index, host in enumerate(route.spec.get("hosts") or ()):
                if gateway and "*" not in taken and host not in taken:
                    yield route.finding(f"spec.hosts[{index}]", f"a host of Gateway/{short}", host)


def gateway_certificate(documents: Documents) -> Iterator[Finding]:
    """The gateway's pods read a certificate in their own namespace."""
    made = {one.spec.get("secretName") for one in documents.of("Certificate") if one.namespace == "istio-system"}
    made |= {one.name for one in documents.of("Secret") if one.namespace == "istio-system"}
    for gateway in documents.of("Gateway"):
        for index, server in enumerate(gateway.spec.get("servers") or ()):
            name = at(server, "tls.credentialName")
            if name and name not in made:
                path = f"spec.servers[{index}].tls.credentialName"
                yield gateway.finding(path, "a Certificate's secret in istio-system", name)


def certificate_issuer(documents: Documents) -> Iterator[Finding]:
    for certificate in documents.of("Certificate"):
        issuer = certificate.spec.get("issuerRef") or {}
        kind = issuer.get("kind", "Issuer")
        namespace = "" if kind == "ClusterIssuer" else certificate.namespace
        found = [one for one in documents.of(kind) if one.name == issuer.get("name")]
        if not any(kind == "ClusterIssuer" or one.namespace == namespace for one in found):
            yield certificate.finding("spec.issuerRef", "an issuer that there is", f"{kind}/{issuer.get('name')}")


def self_signed_names_itself(documents: Documents) -> Iterator[Finding]:
    """The issuer of a self-signed certificate is its subject, and one without a name is refused by curl and others."""
    nameless = {(one.namespace, one.name) for one in documents.of("Issuer") if "selfSigned" in one.spec}
    nameless |= {("", one.name) for one in documents.of("ClusterIssuer") if "selfSigned" in one.spec}
    for certificate in documents.of("Certificate"):
        issuer = certificate.spec.get("issuerRef") or {}
        namespace = "" if issuer.get("kind") == "ClusterIssuer" else certificate.namespace
        named = any(certificate.spec.get(key) for key in ("commonName", "subject", "literalSubject"))
        if (namespace, issuer.get("name")) in nameless and not named:
            yield certificate.finding(
                "spec.commonName", "a name, as it signs itself", certificate.spec.get("commonName")
            )


def ingress_backend(documents: Documents) -> Iterator[Finding]:
    for ingress in documents.of("Ingress"):
        own = [one for one in services(documents) if one.namespace == ingress.namespace]
        for path, node in mappings(ingress.spec, "spec"):
            backend = node.get("service")
            if isinstance(backend, dict):
                yield from _backend(ingress, f"{path}.service", backend, own)


def _backend(ingress: Resource, path: str, backend: dict[str, Any], own: list[Service]) -> Iterator[Finding]:
    found = [one for one in own if one.name == backend.get("name")]
    if not found:
        yield ingress.finding(f"{path}.name", "a Service of its namespace", backend.get("name"))
        return
    port = backend.get("port") or {}
    if port.get("name") not in found[0].ports and port.get("number") not in found[0].ports.values():
        yield ingress.finding(f"{path}.port", f"a port of Service/{found[0].name}", port)


def _leads(documents: Documents, one: Resource, path: str, node: dict[str, Any]) -> Iterator[Finding]:
    host = str(node.get("host"))
    found = [service for service in services(documents) if host in service.hosts(one.namespace)]
    found += [_entry(entry) for entry in documents.of("ServiceEntry") if host in entry.spec.get("hosts", ())]
    if not found:
        yield one.finding(f"{path}.host", "a Service that there is", host)
        return
    port = at(node, "port.number")
    if port is not None and not any(port in service.ports.values() for service in found):
        yield one.finding(f"{path}.port.number", f"a port of Service/{found[0].name}", port)


def _entry(entry: Resource) -> Service:
    ports = {port["name"]: port["number"] for port in entry.spec.get("ports") or ()}
    return Service(entry.name, entry.namespace, ports, entry.labels)


def _host(host: str) -> str:
    return host.rpartition("/")[2]
