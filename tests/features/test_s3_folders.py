"""Folders published to S3: whole under the eyes of readers, last object last, written again where one is missing."""

import threading
from pathlib import Path

import pyarrow.fs as fs
import pytest

from features.errors import InputError, UnreachableError
from features.storage import publish_folder, read_folder
from tests.fakes.refusing import failing_s3
from tests.fakes.s3 import KEYS, make_bucket

FILES = {"bundle.json": b"{}", "model.onnx": b"\x00" * 70_000, "attribution.npz": b"", "a b é.txt": b"text"}


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Those of the environment; no file of this machine."""
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "absent"))


@pytest.fixture
def store(s3_endpoint: str) -> fs.FileSystem:
    found = make_bucket(s3_endpoint, "bundles")
    found.delete_dir_contents("bundles")
    return found


@pytest.mark.usefixtures("store")
def test_a_published_folder_reads_back_and_publishing_again_writes_nothing(s3_endpoint: str) -> None:
    uri = "s3://bundles/deep/down"
    assert publish_folder(FILES, uri, last="bundle.json", endpoint=s3_endpoint)
    assert read_folder(uri, endpoint=s3_endpoint) == FILES
    assert not publish_folder(FILES, uri, last="bundle.json", endpoint=s3_endpoint)


@pytest.mark.parametrize("variable", ["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"])
@pytest.mark.usefixtures("store")
def test_the_endpoint_is_that_of_the_variables_where_none_is_given(
    s3_endpoint: str, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv(variable, s3_endpoint)
    assert publish_folder(FILES, "s3://bundles/x")
    assert read_folder("s3://bundles/x") == FILES
    monkeypatch.setenv(variable, "localhost:9000")
    with pytest.raises(InputError, match=rf"^{variable}: must be http://host:port or https://host:port"):
        read_folder("s3://bundles/x")


def test_what_a_killed_publisher_left_is_completed(s3_endpoint: str, store: fs.FileSystem) -> None:
    publish_folder(FILES, "s3://bundles/x", endpoint=s3_endpoint)
    store.delete_file("bundles/x/bundle.json")
    with store.open_output_stream("bundles/x/model.onnx") as stream:
        stream.write(b"cut off")
    assert publish_folder(FILES, "s3://bundles/x", endpoint=s3_endpoint)
    assert read_folder("s3://bundles/x", endpoint=s3_endpoint) == FILES


def test_the_last_object_appears_after_all_others(s3_endpoint: str, store: fs.FileSystem) -> None:
    files = FILES | {"model.onnx": b"\x00" * 20_000_000}  # long enough to be seen under way
    publisher = threading.Thread(
        target=publish_folder,
        args=(files, "s3://bundles/x"),
        kwargs={"last": "bundle.json", "endpoint": s3_endpoint},
    )
    publisher.start()
    names: set[str] = set()
    while "bundle.json" not in names:
        selector = fs.FileSelector("bundles/x", allow_not_found=True)
        names = {entry.base_name for entry in store.get_file_info(selector)}
    publisher.join()
    assert names == set(FILES)


@pytest.mark.usefixtures("store")
def test_publishers_of_the_same_content_do_not_disturb_each_other(s3_endpoint: str) -> None:
    publishers = [
        threading.Thread(target=publish_folder, args=(FILES, "s3://bundles/x"), kwargs={"endpoint": s3_endpoint})
        for _ in range(6)
    ]
    for publisher in publishers:
        publisher.start()
    for publisher in publishers:
        publisher.join()
    assert read_folder("s3://bundles/x", endpoint=s3_endpoint) == FILES


@pytest.mark.usefixtures("store")
def test_what_is_not_there_is_unreachable(s3_endpoint: str) -> None:
    with pytest.raises(UnreachableError, match="s3://bundles/absent"):
        read_folder("s3://bundles/absent", endpoint=s3_endpoint)


def test_a_bucket_that_is_not_there_is_named(s3_endpoint: str) -> None:
    with pytest.raises(InputError, match=r"^uri: does not exist, got 's3://nowhere/x'"):
        publish_folder(FILES, "s3://nowhere/x", endpoint=s3_endpoint)


def test_a_store_that_refuses_is_named_with_where_credentials_are_from() -> None:
    with failing_s3(403, "AccessDenied") as port, pytest.raises(InputError, match=r"^uri: access refused \(403\)"):
        publish_folder(FILES, "s3://bundles/x", endpoint=f"http://127.0.0.1:{port}")


@pytest.mark.parametrize(("status", "code"), [(503, "SlowDown"), (500, "InternalError")])
def test_a_store_in_trouble_is_worth_a_later_try(status: int, code: str) -> None:
    with failing_s3(status, code) as port, pytest.raises(UnreachableError, match="which it did not in 3 tries"):
        publish_folder(FILES, "s3://bundles/x", endpoint=f"http://127.0.0.1:{port}")


def test_a_store_that_is_not_there_is_unreachable() -> None:
    with pytest.raises(UnreachableError, match="the store must answer"):
        publish_folder(FILES, "s3://bundles/x", endpoint="http://127.0.0.1:1")
