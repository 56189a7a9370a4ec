"""What a command sets before it imports anything, for tests of what lies below: no telemetry, nothing in $HOME."""

import os
import secrets
import shutil
import tempfile
from pathlib import Path

import pytest

_FOLDER = pytest.StashKey[Path]()


def pytest_configure(config: pytest.Config) -> None:
    """A token of our own."""
    folder = config.stash[_FOLDER] = Path(tempfile.mkdtemp(prefix="vigia-tests-"))
    (folder / "token").write_text(secrets.token_hex(32))
    names = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN_PATH": str(folder / "token")}
    os.environ.update(names, RAY_USAGE_STATS_ENABLED="0", RAY_AIR_NEW_OUTPUT="0")
    os.environ.update(MLFLOW_DISABLE_TELEMETRY="true", DO_NOT_TRACK="true", GX_ANALYTICS_ENABLED="false")
    os.environ.update(ORT_DISABLE_TELEMETRY="1", MPLCONFIGDIR=str(folder), KUBECACHEDIR=str(folder / "kubectl"))


def pytest_unconfigure(config: pytest.Config) -> None:
    """Leave nothing."""
    shutil.rmtree(config.stash[_FOLDER], ignore_errors=True)
