"""A real S3 server over HTTP, by moto; buckets and objects in it are made by another client than ours."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow.fs as fs

ROOT = Path(__file__).resolve().parents[2]
KEYS = {"AWS_ACCESS_KEY_ID": "an-id", "AWS_SECRET_ACCESS_KEY": "a-secret", "AWS_EC2_METADATA_DISABLED": "true"}
"""Credentials that it takes; no service of a cloud is asked for others."""


@contextmanager
def s3_server(*, refuses: bool = False) -> Iterator[str]:
    """The endpoint, http://127.0.0.1:port, for as long as the context lasts.

    Each is a process of its own, since moto keeps one state for all servers of a process. refuses: it knows no
    credentials, not even KEYS.
    """
    environment = {**os.environ, **({"INITIAL_NO_AUTH_ACTION_COUNT": "0"} if refuses else {})}
    command = [sys.executable, "-m", "tests.fakes.s3"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment, cwd=ROOT
    ) as process:
        try:
            assert process.stdout
            port = process.stdout.readline().decode().strip()
            assert port, "the S3 server did not start"
            yield f"http://127.0.0.1:{port}"
        finally:
            process.kill()


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


def main() -> None:
    """Serve until killed."""
    from moto.server import DomainDispatcherApplication, create_backend_app
    from werkzeug.serving import make_server

    server = make_server("127.0.0.1", 0, DomainDispatcherApplication(create_backend_app), threaded=True)
    print(server.server_port, flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
