"""scripts/minikube-token.py, run as docs/network.md says, against Minikube's RequestAuthentication."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.manifests.mesh.tokens import Refused, sender_of
from tests.manifests.overlays import ROOT, find


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home") / "vigia/key.pem"


@pytest.fixture(scope="module")
def key_set(key: Path) -> str:
    return told(key, "--jwks")


def told(key: Path, *arguments: str) -> str:
    command = [sys.executable, ROOT / "scripts/minikube-token.py", "--key", key, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT).stdout.strip()


def sender(token: str, key_set: str) -> str:
    (rule,) = find("minikube", "RequestAuthentication", "anomaly-detector")["spec"]["jwtRules"]
    return sender_of([{**rule, "jwks": key_set}], {"Authorization": f"Bearer {token}"}, {}, {}, time.time())


def test_its_token_is_taken_once_its_key_is_in_the_overlay(key: Path, key_set: str) -> None:
    assert sender(told(key, "--subject", "me"), key_set) == "vigia-minikube/me"


def test_a_token_ends(key: Path, key_set: str) -> None:
    with pytest.raises(Refused):
        sender(told(key, "--hours", "-1"), key_set)


def test_the_key_is_made_once_and_read_by_its_owner_alone(key: Path, key_set: str) -> None:
    assert key.stat().st_mode & 0o777 == 0o600
    assert told(key, "--jwks") == key_set


def test_the_key_set_in_git_is_written_as_the_script_writes_one(key_set: str) -> None:
    (rule,) = find("minikube", "RequestAuthentication", "anomaly-detector")["spec"]["jwtRules"]
    assert rule["jwks"].partition('"n":')[0] == key_set.partition('"n":')[0]
    assert len(rule["jwks"]) == len(key_set)
