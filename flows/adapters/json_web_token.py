"""JSON web tokens signed by RS256 (RFC 7515), and the set of public keys that proves them (RFC 7517)."""

import base64
import json
from collections.abc import Mapping

from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256


def signed(claims: Mapping[str, str | int], key: RSAPrivateKey) -> str:
    """The token; times among the claims (iat, exp) are seconds since 1970."""
    text = ".".join(_encoded(json.dumps(part).encode()) for part in ({"alg": "RS256", "typ": "JWT"}, claims))
    return f"{text}.{_encoded(key.sign(text.encode(), PKCS1v15(), SHA256()))}"


def key_set(key: RSAPublicKey) -> str:
    """JSON on one line that holds this key alone."""
    public = key.public_numbers()
    e, n = (_encoded(number.to_bytes((number.bit_length() + 7) // 8, "big")) for number in (public.e, public.n))
    return json.dumps({"keys": [{"alg": "RS256", "e": e, "kty": "RSA", "n": n, "use": "sig"}]}, separators=(",", ":"))


def _encoded(part: bytes) -> str:
    return base64.urlsafe_b64encode(part).rstrip(b"=").decode()
