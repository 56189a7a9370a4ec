"""Bundles that several files ask; fitted once."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from features.vibration.record import FEATURE_NAMES
from serving.manifest import PastRows
from tests.fakes.s3 import KEYS, s3_server
from tests.serving.service import Service, publish, serve


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle store."""
    return tmp_path_factory.mktemp("bundles")


@pytest.fixture(scope="session")
def forest(store: Path) -> Service:
    """A forest over a, b and c, plausible between 0 and 10 g but for c."""
    return Service(serve(publish(store, ranges={"a": (0.0, 10.0), "b": (0.0, 10.0)}, units={"a": "g", "b": "g"})))


@pytest.fixture(scope="session")
def plain(store: Path) -> Service:
    """The same without ranges and units."""
    return Service(serve(publish(store)))


@pytest.fixture(scope="session")
def autoencoder(store: Path) -> Service:
    """An autoencoder over a, b and c that looks at two past rows."""
    return Service(serve(publish(store, history=PastRows(2, ["lags", "mean"], 900), named="autoencoder")))


@pytest.fixture(scope="session")
def vibration(store: Path) -> Service:
    """A forest over the ten features of a record, in another order than theirs."""
    return Service(serve(publish(store, features=FEATURE_NAMES[::-1])))


@pytest.fixture(scope="session")
def lettered(store: Path) -> Service:
    """A forest over a to j."""
    return Service(serve(publish(store, features=tuple("abcdefghij"))))


@pytest.fixture(scope="session")
def s3_endpoint() -> Iterator[str]:
    """A real S3 server over HTTP."""
    with s3_server() as endpoint:
        yield endpoint


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Credentials of the environment; no file of this machine, no metadata service."""
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "absent"))
