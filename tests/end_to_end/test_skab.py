"""Real sensor data, where the optional data set lies."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
CONFIG = ROOT / "configs" / "skab.yaml"
DATA = ROOT / yaml.safe_load(CONFIG.read_text())["data"]["uri"]


@pytest.mark.end_to_end
@pytest.mark.skipif(not DATA.exists(), reason=f"the optional data set is not at {DATA}; {CONFIG} says where to get it")
def test_real_experiments_are_ranked_better_than_chance(tmp_path: Path) -> None:
    summary = tmp_path / "summary.json"
    done = subprocess.run(
        [sys.executable, "-m", "flows", "train", "--config", CONFIG, "--workspace", tmp_path, "--summary", summary],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "AUROC" in done.stdout
    assert json.loads(summary.read_text())["figures"]["test"]["figures"]["auroc"]["value"] > 0.6
