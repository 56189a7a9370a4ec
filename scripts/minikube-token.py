"""Print a token for the service on Minikube, signed by a key of your own, which the first use makes (docs/network.md).

.venv/bin/python scripts/minikube-token.py --jwks    # the public key, for the overlay
.venv/bin/python scripts/minikube-token.py           # a token for eight hours
"""

import argparse
import getpass
import sys
import time
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from flows.adapters.json_web_token import key_set, signed

_ISSUER, _AUDIENCE = "vigia-minikube", "anomaly-detector"  # as the overlay's RequestAuthentication names them


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--key", type=Path, default=Path.home() / ".config/vigia/minikube-token.pem", metavar="FILE")
    parser.add_argument("--jwks", action="store_true", help="print the public key instead of a token")
    parser.add_argument("--hours", type=float, default=8.0, help="how long the token is good for (8)")
    parser.add_argument("--subject", default=getpass.getuser(), help="whom it is for (you)")
    given = parser.parse_args()
    key = _key(given.key)
    now = int(time.time())
    claims = {"iss": _ISSUER, "aud": _AUDIENCE, "sub": given.subject, "iat": now, "exp": now + int(given.hours * 3600)}
    print(key_set(key.public_key()) if given.jwks else signed(claims, key))


def _key(file: Path) -> RSAPrivateKey:
    """The key in the file, which nobody else may read; made where there is none."""
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        made = generate_private_key(public_exponent=65537, key_size=2048)
        file.touch(mode=0o600, exist_ok=False)
        file.write_bytes(made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        print(f"made {file}; put its public key (--jwks) into the overlay", file=sys.stderr)
    key = load_pem_private_key(file.read_bytes(), password=None)
    if not isinstance(key, RSAPrivateKey):
        sys.exit(f"{file} must hold a private RSA key")
    return key


if __name__ == "__main__":
    main()
