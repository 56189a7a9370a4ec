"""One trained model for the tests of what comes after training."""

import json
from pathlib import Path

import pytest

from flows.cli.main import main
from flows.workspace import Workspace


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Workspace, dict[str, object]]:
    """A workspace in which a model of eight sensors was trained without a search, and the summary of that."""
    workspace = tmp_path_factory.mktemp("trained") / "w"
    summary = workspace.parent / "summary.json"
    quick = ["--set", "search.min_labels=1000000", "--set", "validation.min_rows=100"]
    quick += ["--set", "data.ranges={rms: [0, 1000]}"]
    asked = ["train", "fleet://?sensors=8&days=4&seed=3", *quick, "--quiet"]
    assert main([*asked, "--workspace", str(workspace), "--summary", str(summary)]) in (0, 3)
    return Workspace(Path(workspace)), json.loads(summary.read_text())
