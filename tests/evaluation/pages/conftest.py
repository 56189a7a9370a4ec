"""One browser for all pages."""

from collections.abc import Iterator

import pytest

from tests.evaluation.pages.chromium import Browser, running
from tests.system import require_program


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    program = require_program("chromium", "chromium")
    with running(program, tmp_path_factory.mktemp("chromium")) as started:
        yield started
