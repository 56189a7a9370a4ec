"""`vigia publish`: from one environment's store to another's, held to the digest on both sides."""

from dataclasses import replace
from pathlib import Path

import pytest

from features.errors import InputError, UnreachableError
from features.storage import local_path, read_folder
from flows.environments import Environment
from flows.steps.promote import promote
from flows.steps.publish import publish
from tests.fakes.s3 import KEYS, make_bucket, s3_server
from tests.flows.promotion.place import Place


@pytest.fixture
def other(place: Place, tmp_path: Path) -> Environment:
    """An environment with a store of its own and the same repository."""
    return replace(place.environment, bundles=(tmp_path / "store").as_uri())


def test_what_is_published_can_be_promoted_from_there(place: Place, other: Environment) -> None:
    made = place.register(1)
    done = publish(place.environment, other, made.digest)
    assert done.lines == (("Published", f"sha256:{made.digest[:12]} copied to {other.bundle_uri(made.digest)}"),)
    promote(other, place.registry, place.model, None)
    assert other.bundle_uri(made.digest) in place.text()


def test_again_is_only_a_check(place: Place, other: Environment) -> None:
    made = place.register(1)
    publish(place.environment, other, made.digest)
    assert "was already in" in publish(place.environment, other, f"sha256:{made.digest}").lines[0][1]


def test_a_copy_that_is_another_content_is_found_out(place: Place, other: Environment) -> None:
    made = place.register(1)
    publish(place.environment, other, made.digest)
    (local_path(other.bundle_uri(made.digest)) / "model.onnx").write_bytes(b"other")
    with pytest.raises(InputError, match="must have digest"):
        publish(place.environment, other, made.digest)


def test_a_source_that_is_another_content_is_not_copied(place: Place, other: Environment) -> None:
    made = place.register(4.5)
    (local_path(made.uri) / "model.onnx").write_bytes(b"other")
    with pytest.raises(InputError, match="must have digest"):
        publish(place.environment, other, made.digest)
    with pytest.raises(UnreachableError):
        read_folder(other.bundle_uri(made.digest))


def test_what_is_not_there_and_what_is_no_digest_are_named(place: Place, other: Environment) -> None:
    with pytest.raises(UnreachableError, match="No such file"):
        publish(place.environment, other, "0" * 64)
    with pytest.raises(InputError, match="DIGEST: must be 64 hexadecimal digits"):
        publish(place.environment, other, "abc")


def test_a_store_in_s3_is_published_to_and_promoted_from(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)
    made = place.register(1)
    with s3_server() as endpoint:
        make_bucket(endpoint, "bundles")
        cluster = replace(place.environment, bundles="s3://bundles/store", endpoint=endpoint)
        with pytest.raises(InputError, match=f"`vigia publish {made.digest} --to local` copies it"):
            promote(cluster, place.registry, place.model, None)
        publish(place.environment, cluster, made.digest)
        promote(cluster, place.registry, place.model, None)
    assert f's3://bundles/store/sha256/{made.digest}"' in place.text()
