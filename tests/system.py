"""Programs that the tests use but pip does not install."""

import os
import shutil
from glob import glob
from pathlib import Path

import pytest


def require_program(name: str, package: str, folders: str = "") -> Path:
    """Where a program is: on the PATH or in one of the ``folders``, a glob, the last first.

    Skips the test with the Debian package to install when it is missing.

    With VIGIA_REQUIRE_SYSTEM_PACKAGES=1 the test fails instead, so that a machine meant to run everything does.
    """
    found = shutil.which(name, path=os.pathsep.join(sorted(glob(folders), reverse=True))) or shutil.which(name)
    if found:
        return Path(found)
    reason = f"{name} is not installed: apt-get install {package}"
    if os.environ.get("VIGIA_REQUIRE_SYSTEM_PACKAGES") == "1":
        pytest.fail(reason)
    pytest.skip(reason)
