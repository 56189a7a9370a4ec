"""Programs that the tests use but pip does not install."""

import os
import shutil
from pathlib import Path

import pytest


def require_program(name: str, package: str) -> Path:
    """Where a program is; skips the test with the Debian package to install when it is missing.

    With VIGIA_REQUIRE_SYSTEM_PACKAGES=1 the test fails instead, so that a machine meant to run everything does.
    """
    found = shutil.which(name)
    if found:
        return Path(found)
    reason = f"{name} is not installed: apt-get install {package}"
    if os.environ.get("VIGIA_REQUIRE_SYSTEM_PACKAGES") == "1":
        pytest.fail(reason)
    pytest.skip(reason)
