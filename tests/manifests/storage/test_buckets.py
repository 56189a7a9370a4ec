"""The buckets Job's script on a real S3 server, with a stand-in for `mc`."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from tests.fakes.mc import ask
from tests.fakes.s3 import s3_server
from tests.manifests.storage.shell import BASE, Ran, run, write_keys

IDENTITIES = ("backup", "ops", "register", "serve", "train")


@dataclass(frozen=True)
class Store:
    """An empty S3 server, and the folders that the Job mounts."""

    endpoint: str
    folder: Path

    def declare(self, endpoint: str | None = None, **environment: str) -> Ran:
        """Run the script."""
        return run(
            "minio-mlflow/buckets.sh",
            ENDPOINT=endpoint or self.endpoint,
            IDENTITIES=str(self.folder / "identities"),
            POLICIES=str(self.folder / "declared"),
            MC_CONFIG_DIR=str(self.folder / "mc"),
            **{"MINIO_ROOT_USER": "root", "MINIO_ROOT_PASSWORD": "the root password"} | environment,
        )

    def state(self) -> dict[str, Any]:
        """What the admin verbs left behind."""
        found: dict[str, Any] = json.loads((self.folder / "mc/state.json").read_text())
        return found


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """A server on which the script has run once."""
    folder = tmp_path_factory.mktemp("store")
    for name in IDENTITIES:
        write_keys(folder / "identities", name)
    declared = folder / "declared"
    declared.mkdir()
    for file in [*(BASE / "minio-mlflow/policies").iterdir(), BASE / "minio-mlflow/lifecycle.json"]:
        (declared / file.name).write_text(file.read_text())
    with s3_server() as endpoint:
        store = Store(endpoint, folder)
        ran = store.declare()
        assert ran.code == 0, ran.printed
        yield store


def test_every_bucket_is_made_and_bundles_and_backups_keep_versions(store: Store) -> None:
    names = ElementTree.fromstring(ask("GET", store.endpoint)).iterfind(".//{*}Name")
    assert sorted(name.text or "" for name in names) == ["backups", "bundles", "data", "mlflow", "predictions"]
    for bucket in ("bundles", "backups"):
        assert b"Enabled" in ask("GET", f"{store.endpoint}/{bucket}?versioning")
    assert b"Enabled" not in ask("GET", f"{store.endpoint}/predictions?versioning")
    assert store.state()["of"]["rules store/backups"] == ["dumps-of-a-month", "overwritten-and-deleted-of-a-quarter"]


def test_every_identity_is_a_user_with_its_own_policy_alone(store: Store) -> None:
    users = store.state()["users"]
    assert {user: made["policies"] for user, made in users.items()} == {f"{name}-id": [name] for name in IDENTITIES}


def test_no_key_is_on_a_command_line(store: Store) -> None:
    calls = (store.folder / "mc/calls.txt").read_text()
    assert "admin user add store" in calls
    assert "secret" not in calls
    assert "password" not in calls


def test_run_again_it_changes_nothing_but_a_key_that_is_new(store: Store) -> None:
    expected = store.state()
    expected["users"]["serve-id"]["secret"] = "another secret key"
    (store.folder / "identities/serve/AWS_SECRET_ACCESS_KEY").write_text("another secret key")
    again = store.declare()
    assert again.code == 0, again.printed
    assert store.state() == expected


def test_a_store_that_does_not_answer_is_waited_for_and_then_named(store: Store) -> None:
    gone = store.declare("http://127.0.0.1:9", WAIT_S="0")
    assert gone.code == 1
    assert "http://127.0.0.1:9 did not take the administrator's keys within 0 s" in gone.printed


def test_an_identity_that_the_store_refuses_ends_the_job(store: Store) -> None:
    (store.folder / "identities/ops/AWS_SECRET_ACCESS_KEY").write_text("short")
    refused = store.declare()
    assert refused.code == 1
    assert "buckets and identities are as declared" not in refused.printed
