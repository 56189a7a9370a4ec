"""Tokens against the rules of a RequestAuthentication, as Envoy's jwt_authn filter decides about them."""

import base64
import json
from collections.abc import Iterable, Mapping
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicNumbers
from cryptography.hazmat.primitives.hashes import SHA256

UNAUTHENTICATED, FORBIDDEN = 401, 403
_SKEW_S = 60  # Envoy's, by which clocks may differ
_BEARER = ({"name": "Authorization", "prefix": "Bearer "},)
Rule = Mapping[str, Any]
Pairs = Mapping[str, str]


class Refused(Exception):
    """The token is no good; the status that its sender gets."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


def sender_of(rules: Iterable[Rule], headers: Pairs, parameters: Pairs, key_sets: Pairs, now: float) -> str:
    """``issuer/subject`` of the token that a rule takes; empty where none finds a token. Raises Refused.

    key_sets: by address, for rules that name one; now: seconds since 1970.
    """
    refused = None
    for rule in rules:
        keys = rule["jwks"] if "jwks" in rule else key_sets.get(rule.get("jwksUri", ""), '{"keys": []}')
        for token in _tokens(rule, headers, parameters):
            try:
                return _principal(token, rule, keys, now)
            except Refused as error:
                refused = error
    if refused:
        raise refused
    return ""


def _tokens(rule: Rule, headers: Pairs, parameters: Pairs) -> list[str]:
    """Istio looks at the bearer header and the parameter ``access_token``; ``fromHeaders`` replaces both."""
    found = [
        headers[place["name"]].removeprefix(place.get("prefix", ""))
        for place in rule.get("fromHeaders", _BEARER)
        if headers.get(place["name"], "").startswith(place.get("prefix", "")) and place["name"] in headers
    ]
    in_url = [] if "fromHeaders" in rule else [parameters.get("access_token", "")]
    return [token for token in found + in_url if token]


def _principal(token: str, rule: Rule, key_set: str, now: float) -> str:
    try:
        header, payload, signature = token.split(".")
        claims = json.loads(_decoded(payload))
        algorithm = json.loads(_decoded(header))["alg"]
    except (ValueError, KeyError) as error:
        raise Refused(UNAUTHENTICATED) from error
    if "issuer" in rule and claims.get("iss") != rule["issuer"]:
        raise Refused(UNAUTHENTICATED)
    if not claims.get("nbf", now) - _SKEW_S <= now <= claims.get("exp", now) + _SKEW_S:
        raise Refused(UNAUTHENTICATED)
    wanted, given = set(rule.get("audiences", [])), claims.get("aud", [])
    if wanted and not wanted & {*([given] if isinstance(given, str) else given)}:
        raise Refused(FORBIDDEN)
    if algorithm != "RS256" or not _is_signed(f"{header}.{payload}", _decoded(signature), key_set):
        raise Refused(UNAUTHENTICATED)
    return f"{claims['iss']}/{claims['sub']}"


def _is_signed(text: str, signature: bytes, key_set: str) -> bool:
    for key in json.loads(key_set)["keys"]:
        e, n = (int.from_bytes(_decoded(key[part]), "big") for part in ("e", "n"))
        try:
            RSAPublicNumbers(e, n).public_key().verify(signature, text.encode(), PKCS1v15(), SHA256())
        except InvalidSignature:
            continue
        return True
    return False


def _decoded(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
