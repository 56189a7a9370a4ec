"""Rule: the CEL rules of custom kinds hold. JSON Schema cannot state them, so each text is written again in Python."""

import re
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

from tests.manifests.checking.documents import Documents
from tests.manifests.checking.finding import Finding
from tests.manifests.checking.schemas import read_schema_file
from tests.manifests.checking.walking import at, places

Check = Callable[[Any], bool]

CHANGES = {"self == oldSelf"}  # compare with the resource before; nothing to check in a file
_SECONDS = {"h": 3600, "m": 60, "s": 1, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9}


def _at_most_one(*names: str) -> Check:
    return lambda self: sum(name in self for name in names) <= 1


def _exactly_one(*names: str) -> Check:
    return lambda self: sum(name in self for name in names) == 1


def _seconds(duration: str) -> float:
    parts = re.findall(r"([\d.]+)(ms|us|µs|ns|h|m|s)", duration)
    return sum(float(amount) * _SECONDS[unit] for amount, unit in parts)


def _retried_or_deleted(self: dict[str, Any]) -> bool:
    return ("onSuccess" in self and "onFailure" in self) or "deletionRules" in self


def _account_alone(self: dict[str, Any]) -> bool:
    accounts = {"serviceAccounts", "notServiceAccounts"} & self.keys()
    return not accounts or not {"principals", "notPrincipals", "namespaces", "notNamespaces"} & self.keys()


CHECKS: dict[str, Check] = {
    # ray.io
    "self in ['ray.io/kuberay-operator', 'kueue.x-k8s.io/multikueue']": (
        lambda self: self in ("ray.io/kuberay-operator", "kueue.x-k8s.io/multikueue")
    ),
    "!((has(self.onSuccess) || has(self.onFailure)) && has(self.deletionRules))": (
        lambda self: not (self.keys() & {"onSuccess", "onFailure"} and "deletionRules" in self)
    ),
    "((has(self.onSuccess) && has(self.onFailure)) || has(self.deletionRules))": _retried_or_deleted,
    "!(has(self.jobStatus) && has(self.jobDeploymentStatus))": _at_most_one("jobStatus", "jobDeploymentStatus"),
    "has(self.jobStatus) || has(self.jobDeploymentStatus)": (
        lambda self: bool(self.keys() & {"jobStatus", "jobDeploymentStatus"})
    ),
    # Istio
    "duration(self) >= duration('1ms')": lambda self: _seconds(self) >= 0.001,
    'self.all(key, !key.contains("*"))': lambda self: not any("*" in key for key in self),
    "self.all(key, key.size() != 0)": lambda self: all(self),
    '!self.contains("*")': lambda self: "*" not in self,
    "self.size() == 0": lambda self: not self,
    'self != "*"': lambda self: self != "*",
    "0 < self && self <= 65535": lambda self: 0 < self <= 65535,
    "self.all(key, 0 < int(key) && int(key) <= 65535)": lambda self: all(0 < int(key) <= 65535 for key in self),
    'url(self).getScheme() in ["http", "https"]': lambda self: urlsplit(self).scheme in ("http", "https"),
    "(has(self.selector) ? 1 : 0) + (has(self.targetRef) ? 1 : 0) + (has(self.targetRefs) ? 1 : 0) <= 1": (
        _at_most_one("selector", "targetRef", "targetRefs")
    ),
    "(has(self.tlsCertificates) ? 1 : 0) + (has(self.credentialNames) ? 1 : 0) <= 1": (
        _at_most_one("tlsCertificates", "credentialNames")
    ),
    "(has(self.credentialName) ? 1 : 0) + (has(self.credentialNames) ? 1 : 0) <= 1": (
        _at_most_one("credentialName", "credentialNames")
    ),
    "(has(self.credentialNames) ? 1 : 0) + (has(self.tlsCertificates) ? 1 : 0) <= 1": (
        _at_most_one("credentialNames", "tlsCertificates")
    ),
    "(has(self.jwksUri) ? 1 : 0) + (has(self.jwks_uri) ? 1 : 0) + (has(self.jwks) ? 1 : 0) <= 1": (
        _at_most_one("jwksUri", "jwks_uri", "jwks")
    ),
    "(has(self.serviceAccounts) || has(self.notServiceAccounts)) ? (!has(self.principals) && "
    "!has(self.notPrincipals) && !has(self.namespaces) && !has(self.notNamespaces)) : true": _account_alone,
    "has(self.portLevelMtls) ? (((has(self.selector) && has(self.selector.matchLabels)) ? self.selector.matchLabels"
    " : {}).size() > 0) : true": lambda self: "portLevelMtls" not in self or bool(at(self, "selector.matchLabels")),
    "(has(self.workloadSelector) ? 1 : 0) + (has(self.endpoints) ? 1 : 0) <= 1": (
        _at_most_one("workloadSelector", "endpoints")
    ),
    "self.all(l1, self.exists_one(l2, l1.number == l2.number))": (
        lambda self: len({one["number"] for one in self}) == len(self)
    ),
    # cert-manager
    "(has(self.tpp) ? 1 : 0) + (has(self.cloud) ? 1 : 0) + (has(self.ngts) ? 1 : 0) == 1": (
        _exactly_one("tpp", "cloud", "ngts")
    ),
}


def cel_rule(documents: Documents) -> Iterator[Finding]:
    """A rule that applies and is not written here is a finding: nobody knows then whether it holds."""
    known = read_schema_file("cel_rules.json") or {}
    for resource in documents.resources:
        for entry in known.get(f"{resource.api} {resource.kind}", ()):
            text = " ".join(entry["rule"].split())
            check = CHECKS.get(text)
            for path, value in places(resource.body, entry["path"]):
                if text in CHANGES:
                    continue
                if check is None:
                    yield resource.finding(path, "a CEL rule that the checker knows", text)
                elif not check(value):
                    yield resource.finding(path, str(entry.get("message") or text), value)
