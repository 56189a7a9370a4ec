"""The schemas of custom kinds, for tests that need them."""

import os
from pathlib import Path

import pytest

from tests.manifests.checking.schemas import MISSING, schema_folder


def require_schemas() -> Path:
    """The schema folder. Skips the test without one; with VIGIA_REQUIRE_SCHEMAS=1 the test fails instead."""
    folder = schema_folder()
    if folder:
        return folder
    if os.environ.get("VIGIA_REQUIRE_SCHEMAS") == "1":
        pytest.fail(MISSING)
    pytest.skip(MISSING)
