"""A registry and a bundle store that all tests of promotion share; each has a model and a repository of its own."""

from itertools import count
from pathlib import Path

import pytest

from flows.adapters.registry import Registry
from flows.workspace import Workspace
from tests.flows.promotion.place import Place, make_place

_NUMBERS = count()


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> tuple[Workspace, Registry]:
    """MLflow takes seconds to make its tables: once is enough."""
    workspace = Workspace(tmp_path_factory.mktemp("promotion"))
    workspace.prepare()
    return workspace, Registry(workspace.registry_uri, workspace.artifacts)


@pytest.fixture
def place(tmp_path: Path, shared: tuple[Workspace, Registry]) -> Place:
    """Nothing is promoted yet."""
    return make_place(tmp_path, *shared, f"model-{next(_NUMBERS)}")
