"""A token of a GitHub App for the repository it is installed in."""

import time

import httpx
import msgspec
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from features.errors import InputError
from flows.adapters.json_web_token import signed
from flows.adapters.pull_requests import Repository, call

_SKEW_S, _LIFE_S = 60, 540


def is_key(secret: str) -> bool:
    """Whether a secret is an App's private key, not a token."""
    return secret.lstrip().startswith("-----BEGIN")


def installation_token(repository: Repository, app: str, key: str) -> str:
    """A token for an hour, by the App's client id and private key (PEM, RSA).

    Raises InputError for a key that is none, or an App that is not installed there.
    """
    headers = {"Authorization": f"Bearer {_signed(app, key)}", "Accept": "application/vnd.github+json"}
    with httpx.Client(base_url=repository.api, headers=headers, timeout=20.0, follow_redirects=True) as client:
        number = call(client, "GET", f"/repos/{repository.name}/installation", _Installation).id
        return call(client, "POST", f"/app/installations/{number}/access_tokens", _Access).token


class _Installation(msgspec.Struct):
    id: int


class _Access(msgspec.Struct):
    token: str


def _signed(app: str, key: str) -> str:
    """A JSON web token, RS256, for ten minutes; a clock that is a minute fast does no harm."""
    try:
        private = load_pem_private_key(key.encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise InputError("GitHub App", "must have a private RSA key in PEM form, without a password") from error
    if not isinstance(private, RSAPrivateKey):
        raise InputError("GitHub App", "must have a private RSA key")
    now = int(time.time())
    return signed({"iat": now - _SKEW_S, "exp": now + _LIFE_S, "iss": app}, private)
