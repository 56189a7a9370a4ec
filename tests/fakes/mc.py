"""MinIO's client as its buckets and backup scripts use it: S3 verbs go to the endpoint, admin verbs to a JSON file.

Stands in for the program `mc` as `python mc.py …`, with what trips scripts up: a bucket or a rule that exists is an
error unless the script says otherwise, keys come by stdin, a secret key has at least eight characters, a policy is
attached to a user that exists. State: $MC_CONFIG_DIR/state.json (aliases, users, policies) and calls.txt.
"""

import json
import os
import sys
import urllib.error
import urllib.parse
import urllib.request
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

_NAMESPACE = "{http://s3.amazonaws.com/doc/2006-03-01/}"
_SIGNED = "AWS4-HMAC-SHA256 Credential=root/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0"
_HEADERS = {"Authorization": _SIGNED, "Content-Type": "application/octet-stream"}
_VERSIONING = "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>"


def main(arguments: list[str]) -> None:
    """Run one command, as `mc` would; exit code 1 with a message when it refuses."""
    folder = Path(os.environ["MC_CONFIG_DIR"])
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "calls.txt").open("a") as calls:
        calls.write(" ".join(arguments) + "\n")
    file = folder / "state.json"
    state: dict[str, Any] = json.loads(file.read_text()) if file.exists() else {"aliases": {}, "users": {}, "of": {}}
    words = [word for word in arguments if not word.startswith("--")]
    try:
        _run(words, {word for word in arguments if word.startswith("--")}, state)
    except (urllib.error.URLError, ValueError) as error:
        sys.exit(f"mc: <ERROR> {error}")
    file.write_text(json.dumps(state))


def _run(words: list[str], flags: set[str], state: dict[str, Any]) -> None:
    match words:
        case ["alias", "set", name, endpoint]:
            user, secret = sys.stdin.read().splitlines()
            ask("GET", endpoint)
            _require(bool(user and secret), "The Access Key Id you provided does not exist in our records.")
            state["aliases"][name] = endpoint
        case ["mb", target]:
            known = _names(ask("GET", _url(state, target.split("/")[0])), "Buckets/Bucket/Name")
            exists = target.split("/")[1] in known
            _require(not exists or "--ignore-existing" in flags, f"Unable to make bucket `{target}`.")
            if not exists:
                ask("PUT", _url(state, target))
        case ["version", "enable", target]:
            ask("PUT", _url(state, target) + "?versioning", _VERSIONING.encode())
        case ["ilm", "rule", "import", target]:
            state["of"][f"rules {target}"] = [rule["ID"] for rule in json.load(sys.stdin)["Rules"]]
        case ["admin", "policy", "create", _, name, file]:
            state["of"][f"policy {name}"] = json.loads(Path(file).read_text())
        case ["admin", "user", "add", _]:
            user, secret = sys.stdin.read().splitlines()
            _require(len(user) >= 3 and len(secret) >= 8, "The secret key is invalid.")
            state["users"].setdefault(user, {"policies": []})["secret"] = secret
        case ["admin", "policy", "attach", _, name, user]:
            _require(f"policy {name}" in state["of"] and user in state["users"], "The specified policy does not exist.")
            policies = state["users"][user]["policies"]
            policies += [] if name in policies else [name]
        case ["cp", source, target]:
            _copy(state, source, target)
        case ["mirror", source, target]:
            for key in _names(ask("GET", _url(state, source)), "Contents/Key"):
                _copy(state, f"{source}/{key}", f"{target}/{key}")
        case _:
            raise ValueError(f"`{words}` is not a recognized command.")


def _copy(state: dict[str, Any], source: str, target: str) -> None:
    remote, file = source.split("/")[0] in state["aliases"], Path(source)
    content = ask("GET", _url(state, source)) if remote else file.read_bytes()
    if target.split("/")[0] in state["aliases"]:
        ask("PUT", _url(state, target), content)
    else:
        Path(target).write_bytes(content)


def _url(state: dict[str, Any], target: str) -> str:
    alias, _, path = target.partition("/")
    return f"{state['aliases'][alias]}/{urllib.parse.quote(path)}"


def ask(method: str, url: str, body: bytes | None = None) -> bytes:
    """The answer of an S3 server that reads whose keys a request shows, and checks no signature."""
    request = urllib.request.Request(url, body, _HEADERS, method=method)
    with urllib.request.urlopen(request, timeout=10) as answer:
        return bytes(answer.read())


def _names(answer: bytes, path: str) -> list[str]:
    found = ElementTree.fromstring(answer).iterfind("/".join(_NAMESPACE + part for part in path.split("/")))
    return [name.text or "" for name in found]


def _require(holds: bool, message: str) -> None:
    if not holds:
        raise ValueError(message)


if __name__ == "__main__":
    main(sys.argv[1:])
