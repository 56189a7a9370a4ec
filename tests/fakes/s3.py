"""A real S3 server over HTTP, by moto; buckets and objects in it are made by another client than ours."""

import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

import pyarrow.fs as fs
from moto.server import ThreadedMotoServer

KEYS = {"AWS_ACCESS_KEY_ID": "an-id", "AWS_SECRET_ACCESS_KEY": "a-secret", "AWS_EC2_METADATA_DISABLED": "true"}
"""Credentials that it takes; no service of a cloud is asked for others."""
_RUNNING: list[str] = []


@contextmanager
def s3_server() -> Iterator[str]:
    """The endpoint, http://127.0.0.1:port, for as long as the context lasts.

    moto keeps one state for all servers of a process: it is emptied when the last of them ends.
    """
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    endpoint = "http://{}:{}".format(*server.get_host_and_port())
    _RUNNING.append(endpoint)
    try:
        yield endpoint
    finally:
        _RUNNING.remove(endpoint)
        if not _RUNNING:
            urllib.request.urlopen(f"{endpoint}/moto-api/reset", b"", timeout=10).close()
        server.stop()


def make_bucket(endpoint: str, name: str) -> fs.FileSystem:
    """The whole store, with that bucket in it."""
    host = endpoint.removeprefix("http://")
    store = fs.S3FileSystem(
        access_key=KEYS["AWS_ACCESS_KEY_ID"],
        secret_key=KEYS["AWS_SECRET_ACCESS_KEY"],
        scheme="http",
        endpoint_override=host,
        region="us-east-1",
        allow_bucket_creation=True,
    )
    store.create_dir(name)
    return store
