"""The S3 server that tables and folders are read from."""

from collections.abc import Iterator

import pytest

from tests.fakes.s3 import s3_server


@pytest.fixture(scope="session")
def s3_endpoint() -> Iterator[str]:
    """A real S3 server over HTTP."""
    with s3_server() as endpoint:
        yield endpoint
