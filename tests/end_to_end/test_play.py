"""The game, with nobody at the keyboard."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.load.processes import free_port

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_broken_machine_raises_alerts_and_a_new_model_goes_live_without_a_failed_request(tmp_path: Path) -> None:
    summary = tmp_path / "summary.json"
    settings = ["--set", "data.uri=fleet://?sensors=12&days=8&seed=3", "--set", "search.trials=2"]
    command = ["play", "--no-input", "--pace", "0", "--port", str(free_port()), *settings]
    done = subprocess.run(
        [sys.executable, "-m", "flows", *command, "--workspace", tmp_path / "workspace", "--summary", summary],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=800,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    figures = json.loads(summary.read_text())["figures"]
    healthy, failing = figures["alerts"]
    assert healthy < 3 < failing
    assert "ALERT" in done.stdout
    assert "above usual" in done.stdout
    assert figures["failed"] == 0
    assert list(figures["answered"]) == ["1", "2"]
