"""Tables in S3, over HTTP from a server; and what is said when it refuses, is away or is silent."""

import time
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.fs as fs
import pyarrow.parquet as pq
import pytest

from features.errors import InputError, UnreachableError
from features.sources.opening import Access, Source, open_source
from tests.fakes.refusing import failing_s3, silent_server
from tests.fakes.s3 import KEYS, make_bucket, s3_server

NAME = "série 机器 7.csv"


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Those of the environment; no file of this machine, no metadata service."""
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "absent"))


@pytest.fixture
def bucket(s3_endpoint: str) -> fs.FileSystem:
    """The bucket ``plant``: two CSV files in one folder, a Parquet file in another."""
    store = make_bucket(s3_endpoint, "plant")
    for name, text in (("a/1.csv", "a,b\n1,x\n"), (f"a/{NAME}", "a,b\n2,série é\n"), ("a/_tmp/3.csv", "z\n")):
        with store.open_output_stream(f"plant/{name}") as stream:
            stream.write(text.encode())
    pq.write_table(pa.table({"a": [3]}), "plant/b/x.parquet", filesystem=store)
    return store


@pytest.fixture(scope="module")
def refusing() -> Iterator[str]:
    """A server that does not know our credentials."""
    with s3_server(refuses=True) as endpoint:
        yield endpoint


def read(source: Source, *columns: str) -> dict[str, list[object]]:
    return pa.Table.from_batches(source.blocks(columns)).to_pydict()


@pytest.mark.usefixtures("bucket")
@pytest.mark.parametrize("uri", ["s3://plant/a", "s3://plant/a/", "s3://plant/a/*.csv", "s3://plant/**/*.csv"])
def test_a_prefix_or_a_glob_reads_its_files(s3_endpoint: str, uri: str) -> None:
    source = open_source(uri, Access(endpoint=s3_endpoint))
    assert read(source, "b", "a") == {"b": ["x", "série é"], "a": ["1", "2"]}
    assert read(source, "a") == read(source, "a")
    assert source.uri == uri


@pytest.mark.usefixtures("bucket")
@pytest.mark.parametrize(("uri", "value"), [("s3://plant/b/x.parquet", 3), (f"s3://plant/a/{NAME}", "2")])
def test_one_object_is_a_table(s3_endpoint: str, uri: str, value: object) -> None:
    assert read(open_source(uri, Access(endpoint=s3_endpoint)), "a") == {"a": [value]}


@pytest.mark.usefixtures("bucket")
@pytest.mark.parametrize(
    "uri", ["s3://plant/absent.csv", "s3://absent/x.csv", "s3://absent/*.csv", "s3://absent", "s3://"]
)
def test_a_key_or_bucket_that_is_not_there_is_named(s3_endpoint: str, uri: str) -> None:
    with pytest.raises(InputError) as caught:
        open_source(uri, Access(endpoint=s3_endpoint))
    assert str(caught.value) == f"data.uri: does not exist, got '{uri}'"


def test_an_object_that_went_away_is_named(s3_endpoint: str, bucket: fs.FileSystem) -> None:
    source = open_source("s3://plant/a", Access(endpoint=s3_endpoint))
    bucket.delete_file("plant/a/1.csv")
    with pytest.raises(InputError, match=r"data\.uri: does not exist, got 's3://plant/a/1\.csv'"):
        read(source, "a")


def test_a_ragged_object_is_named(s3_endpoint: str, bucket: fs.FileSystem) -> None:
    with bucket.open_output_stream("plant/ragged.csv") as stream:
        stream.write(b"a,b\n1\n")
    with pytest.raises(InputError, match=r"data\.uri: row 2 of s3://plant/ragged\.csv .* must have 2 cells .*got 1"):
        open_source("s3://plant/ragged.csv", Access(endpoint=s3_endpoint))


@pytest.mark.parametrize("uri", ["s3://plant/a", "s3://plant/a/*.csv", "s3://plant/b/x.parquet"])
def test_wrong_credentials_are_refused(refusing: str, uri: str) -> None:
    expect_refusal(uri, refusing)


def test_missing_credentials_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with failing_s3(403, "AccessDenied") as port:
        expect_refusal("s3://plant/a", f"http://127.0.0.1:{port}")


def expect_refusal(uri: str, endpoint: str) -> None:
    with pytest.raises(InputError) as caught:
        open_source(uri, Access(endpoint=endpoint))
    source = "the AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY variables or the AWS profile"
    rule = f"access refused (403); credentials are taken from {source}"
    assert str(caught.value) == f"data.uri: {rule}, got '{uri}'"


@pytest.mark.parametrize(("status", "code"), [(503, "SlowDown"), (500, "InternalError")])
def test_a_server_in_trouble_is_worth_a_later_try(status: int, code: str) -> None:
    with failing_s3(status, code) as port, pytest.raises(UnreachableError) as caught:
        open_source("s3://plant/a", Access(endpoint=f"http://127.0.0.1:{port}"))
    rule = f"the store must answer, which it did not in 3 tries (HTTP {status})"
    assert str(caught.value) == f"data.uri: {rule}, got 's3://plant/a'"


def test_a_server_that_is_not_there_is_unreachable() -> None:
    with pytest.raises(UnreachableError, match=r"^data\.uri: the store must answer.*127\.0\.0\.1.*got 's3://plant/a'"):
        open_source("s3://plant/a", Access(endpoint="http://127.0.0.1:1"))


def test_a_silent_server_is_given_up_after_three_waits() -> None:
    with silent_server() as (port, accepted):
        start = time.monotonic()
        with pytest.raises(
            UnreachableError, match=r"^data\.uri: the store must answer.*no answer in time.*, got 's3://plant/a'"
        ):
            open_source("s3://plant/a", Access(endpoint=f"http://127.0.0.1:{port}", timeout_s=1))
        assert time.monotonic() - start < 3 * 1 + 5
        assert len(accepted) == 3


@pytest.mark.parametrize("endpoint", ["127.0.0.1:9000", "ftp://host", "http://", "https://me:hush@host"])
def test_a_malformed_endpoint_is_refused(endpoint: str) -> None:
    with pytest.raises(InputError, match=r"data\.endpoint: must be http://host:port or https://host:port") as caught:
        open_source("s3://plant/a", Access(endpoint=endpoint))
    assert "hush" not in str(caught.value)
