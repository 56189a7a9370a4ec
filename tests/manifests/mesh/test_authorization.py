"""Who gets which answer from a worker of the service, with real tokens, on Minikube and on AWS."""

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key

from flows.adapters.json_web_token import key_set, signed
from serving.endpoints import ENDPOINTS
from tests.manifests.mesh.authorization import NO_CONNECTION, OK, Call, Surroundings, answer
from tests.manifests.mesh.places import PLACES
from tests.manifests.overlays import documents

NOW = 1_800_000_000
GATEWAY = "cluster.local/ns/istio-system/sa/istio-ingress"
VERIFIER = "cluster.local/ns/ml-dev/sa/vigia-ops"
OTHER = "cluster.local/ns/ml-dev/sa/mlflow"
ISSUERS = {"minikube": "vigia-minikube", "aws": "https://FILL-IN"}
SECURITY = ("PeerAuthentication", "RequestAuthentication", "AuthorizationPolicy")


@dataclass(frozen=True)
class Row:
    """Sender, token, what is asked; the answers."""

    identity: str
    token: str
    asked: str
    minikube: int
    aws: int
    pod: str = "serve-worker"
    place: str = field(default="Authorization: Bearer")

    def __str__(self) -> str:
        sender = self.identity.rpartition("/")[2] or "plain text"
        return f"{sender} with {self.token or 'no'} token, {self.place}: {self.asked} of {self.pod}"


READS = ("GET /", "GET /health", "GET /ready", "GET /model", "GET /openapi.json", "GET /docs")
PUBLIC = (*READS, "HEAD /health", "POST /predict", "POST /predict/waveforms")
ROWS = (
    *(Row(GATEWAY, "", asked, OK, 403) for asked in PUBLIC),
    *(Row(GATEWAY, "valid", asked, OK, OK) for asked in PUBLIC),
    *(Row(GATEWAY, bad, "POST /predict", 401, 401) for bad in ("forged", "expired", "other issuer", "garbage")),
    Row(GATEWAY, "other audience", "POST /predict", 403, 403),
    Row(GATEWAY, "", "GET /metrics", OK, 403),
    Row(GATEWAY, "valid", "GET /metrics", OK, 403),
    *(Row(GATEWAY, "valid", asked, 403, 403) for asked in ("GET /-/routes", "GET /-/healthz", "GET /metrics/")),
    # A token in a URL is none: URLs are logged. A header of another kind is none either.
    Row(GATEWAY, "valid", "GET /health", OK, 403, place="access_token"),
    Row(GATEWAY, "forged", "GET /health", OK, 403, place="access_token"),
    Row(GATEWAY, "forged", "GET /health", OK, 403, place="Authorization: Basic"),
    # The verifier's service account asks what is served and for one prediction, without a token, and nothing else.
    Row(VERIFIER, "", "GET /model?fleet=1", OK, OK),
    Row(VERIFIER, "forged", "GET /model?fleet=1", 401, 401),
    Row(VERIFIER, "", "POST /predict", OK, OK),
    *(Row(VERIFIER, "", asked, 403, 403) for asked in ("GET /health", "GET /metrics", "GET /predict", "POST /model")),
    # No other sender, whatever it holds.
    Row(OTHER, "", "GET /model", 403, 403),
    Row(OTHER, "valid", "POST /predict", 403, 403),
    Row("", "valid", "GET /health", NO_CONNECTION, NO_CONNECTION),
    # No other pod of the mesh.
    Row(GATEWAY, "valid", "GET /health", 403, 403, pod="verifier"),
    Row(VERIFIER, "", "GET /model", 403, 403, pod="verifier"),
    Row(OTHER, "", "GET /elsewhere", 403, 403, pod="verifier"),
    Row(OTHER, "garbage", "GET /elsewhere", 403, 403, pod="verifier"),
    Row("", "", "GET /elsewhere", NO_CONNECTION, NO_CONNECTION, pod="verifier"),
)


@cache
def key(_owner: str) -> RSAPrivateKey:
    return generate_private_key(public_exponent=65537, key_size=2048)


@cache
def token(kind: str, issuer: str) -> str:
    if kind == "garbage":
        return "not.a.token"
    claims = {"iss": issuer, "aud": "anomaly-detector", "sub": "someone", "iat": NOW - 60, "exp": NOW + 3600}
    changes: dict[str, dict[str, str | int]] = {
        "expired": {"exp": NOW - 3600},
        "other issuer": {"iss": "https://elsewhere"},
        "other audience": {"aud": "elsewhere"},
    }
    return signed(claims | changes.get(kind, {}), key("stranger" if kind == "forged" else "issuer"))


def call(row: Row, issuer: str) -> Call:
    method, _, path = row.asked.partition(" ")
    given = Call(path, method, row.identity)
    if not row.token:
        return given
    if row.place == "access_token":
        return replace(given, parameters={"access_token": token(row.token, issuer)})
    name, _, kind = row.place.partition(": ")
    return replace(given, headers={name: f"{kind} {token(row.token, issuer)}"})


@cache
def policies(overlay: str) -> list[dict[str, Any]]:
    """As a user has them who put a key of their own into Minikube's overlay."""
    found = [document for document in documents(overlay) if document["kind"] in SECURITY]
    for document in found:
        for rule in document["spec"].get("jwtRules", []):
            if "jwks" in rule:
                rule["jwks"] = key_set(key("issuer").public_key())
    return found


def answered(policies: list[dict[str, Any]], row: Row, overlay: str) -> int:
    published = {f"{ISSUERS['aws']}/.well-known/jwks.json": key_set(key("issuer").public_key())}
    surroundings = Surroundings(published, now=NOW)
    return answer(policies, PLACES[row.pod], call(row, ISSUERS[overlay]), surroundings)


@pytest.mark.parametrize("overlay", ISSUERS)
@pytest.mark.parametrize("row", ROWS, ids=str)
def test_a_call_is_answered_as_the_table_says(row: Row, overlay: str) -> None:
    assert answered(policies(overlay), row, overlay) == getattr(row, overlay)


def test_the_table_asks_for_every_path_of_the_service() -> None:
    assert set(ENDPOINTS) == {row.asked.partition(" ")[2] for row in ROWS if row.minikube == OK} - {"/model?fleet=1"}


def test_the_key_in_git_makes_nobody_a_sender() -> None:
    as_shipped = [document for document in documents("minikube") if document["kind"] in SECURITY]
    assert answered(as_shipped, Row(GATEWAY, "valid", "GET /health", 401, 401), "minikube") == 401
    assert answered(as_shipped, Row(GATEWAY, "", "GET /health", OK, OK), "minikube") == OK


@pytest.mark.parametrize("overlay", ISSUERS)
def test_whatever_is_removed_from_a_policy_changes_an_answer(overlay: str) -> None:
    whole = policies(overlay)
    expected = [getattr(row, overlay) for row in ROWS]
    idle = [
        place for place, changed in mutations(whole) if [answered(changed, row, overlay) for row in ROWS] == expected
    ]
    assert [place for place in idle if not place.endswith(".action")] == []  # ALLOW is what it means without it


def mutations(whole: list[dict[str, Any]]) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Every object removed, and every part of its spec that it can be without."""
    for index, document in enumerate(whole):
        title = f"{document['kind']} {document['metadata']['name']}"
        yield title, whole[:index] + whole[index + 1 :]
        for path in parts(document["spec"]):
            changed = deepcopy(document)
            *parents, last = path
            node = changed["spec"]
            for step in parents:
                node = node[step]
            del node[last]
            yield ".".join(map(str, (title, *path))), [*whole[:index], changed, *whole[index + 1 :]]


def parts(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, item in items:
        if step not in ("source", "operation", "name"):  # without these the object is not valid
            yield (*path, step)
        yield from parts(item, (*path, step))
