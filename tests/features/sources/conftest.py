"""The servers that the sources are read from."""

from collections.abc import Iterator

import pytest

from tests.fakes.postgres import Postgres, postgres


@pytest.fixture(scope="session")
def database() -> Iterator[Postgres]:
    """A real PostgreSQL."""
    with postgres() as server:
        yield server
