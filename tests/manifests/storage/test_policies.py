"""What each identity may do in S3, asked of a server that enforces the very policy files."""

from collections.abc import Callable, Iterator

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws
from moto.core import set_initial_no_auth_action_count

from tests.manifests.storage.shell import BASE

BUCKETS = ("backups", "bundles", "data", "mlflow", "predictions")
POLICIES = BASE / "minio-mlflow/policies"
VERBS: dict[str, Callable[[object, str], object]] = {
    "list": lambda client, bucket: client.list_objects_v2(Bucket=bucket),  # type: ignore[attr-defined]
    "read": lambda client, bucket: client.get_object(Bucket=bucket, Key="old"),  # type: ignore[attr-defined]
    "write": lambda client, bucket: client.put_object(Bucket=bucket, Key="new"),  # type: ignore[attr-defined]
    "delete": lambda client, bucket: client.delete_object(Bucket=bucket, Key="none"),  # type: ignore[attr-defined]
}
ALLOWED = {
    "backup": {"backups": "list read write", "bundles": "list read", "mlflow": "list read"},
    "ops": {"bundles": "list read", "mlflow": "list read write", "predictions": "list read"},
    "register": {"bundles": "list read", "mlflow": "list read write delete"},
    "serve": {"bundles": "list read", "predictions": "list read write delete"},
    "train": {
        "bundles": "list read write",
        "data": "list read",
        "mlflow": "list read write",
        "predictions": "list read",
    },
}
"""Nobody may delete a bundle or a backup; only MLflow an artifact, only the service a prediction."""


@pytest.fixture(scope="module", autouse=True)
def buckets() -> Iterator[None]:
    """Each bucket with one object."""
    with mock_aws():
        client = boto3.client("s3", region_name="us-east-1")
        for bucket in BUCKETS:
            client.create_bucket(Bucket=bucket)
            client.put_object(Bucket=bucket, Key="old")
        yield


def test_each_identity_has_a_policy_and_no_other_is_there() -> None:
    assert sorted(file.stem for file in POLICIES.iterdir()) == sorted(ALLOWED)


@pytest.mark.parametrize("identity", sorted(ALLOWED))
def test_an_identity_may_do_this_and_nothing_else(identity: str) -> None:
    iam = boto3.client("iam", region_name="us-east-1")
    iam.create_user(UserName=identity)
    iam.put_user_policy(
        UserName=identity, PolicyName=identity, PolicyDocument=(POLICIES / f"{identity}.json").read_text()
    )
    key = iam.create_access_key(UserName=identity)["AccessKey"]
    client = boto3.client(
        "s3",
        region_name="us-east-1",
        aws_access_key_id=key["AccessKeyId"],
        aws_secret_access_key=key["SecretAccessKey"],
    )
    may = {bucket: " ".join(_allowed_verbs(client, bucket)) for bucket in BUCKETS}
    assert {bucket: verbs for bucket, verbs in may.items() if verbs} == ALLOWED[identity]


@set_initial_no_auth_action_count(0)
def _allowed_verbs(client: object, bucket: str) -> list[str]:
    return [verb for verb in VERBS if _is_allowed(client, bucket, verb)]


def _is_allowed(client: object, bucket: str, verb: str) -> bool:
    try:
        VERBS[verb](client, bucket)
    except ClientError as error:
        if error.response["Error"]["Code"] != "AccessDenied":
            raise
        return False
    return True
