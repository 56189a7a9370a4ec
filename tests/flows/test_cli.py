"""The command line as a person or a script meets it."""

import json
import subprocess
import sys
from pathlib import Path

from flows.config.loading import load_config
from flows.config.train import TrainConfig

ROOT = Path(__file__).parents[2]


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """``python -m flows`` with its workspace in a temporary folder."""
    workspace = ["--workspace", str(folder / "workspace")] if "--help" not in arguments else []
    command = [sys.executable, "-m", "flows", *arguments, *workspace]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)


def test_help_lists_commands_and_exit_codes(tmp_path: Path) -> None:
    found = run(tmp_path, "--help")
    assert found.returncode == 0
    assert "train" in found.stdout
    assert "exit codes:" in found.stdout


def test_an_unknown_command_exits_with_2(tmp_path: Path) -> None:
    found = run(tmp_path, "trian")
    assert found.returncode == 2
    assert "trian" in found.stderr


def test_a_missing_table_exits_with_2_and_names_the_key(tmp_path: Path) -> None:
    summary = tmp_path / "summary.json"
    absent = tmp_path / "absent.csv"
    found = run(tmp_path, "train", "--set", f"data.uri={absent}", "--summary", str(summary), "--quiet")
    assert found.returncode == 2
    assert found.stdout == ""
    assert "data.uri: does not exist, got" in found.stderr
    assert "Traceback" not in found.stderr
    written = json.loads(summary.read_text())
    assert written["exit_code"] == 2
    assert str(absent) in written["error"]


def test_an_unknown_key_exits_with_2_and_suggests_one(tmp_path: Path) -> None:
    found = run(tmp_path, "config", "show", "--set", "data.urii=x")
    assert found.returncode == 2
    assert "did you mean 'data.uri'" in found.stderr


def test_the_shown_configuration_loads_back(tmp_path: Path) -> None:
    settings = ["seed=11", "split.gap=90m", "data.uri=" + "long folder name/" * 20 + "x.csv"]
    found = run(tmp_path, "config", "show", *[part for setting in settings for part in ("--set", setting)])
    assert found.returncode == 0
    (tmp_path / "shown.yaml").write_text(found.stdout)
    assert load_config(TrainConfig, tmp_path / "shown.yaml") == load_config(TrainConfig, None, settings)


def test_the_schema_is_json_and_knows_every_section(tmp_path: Path) -> None:
    found = run(tmp_path, "config", "schema")
    assert found.returncode == 0
    assert set(json.loads(found.stdout)["properties"]) == set(TrainConfig.model_fields)
