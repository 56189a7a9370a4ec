"""The command line as a person or a script meets it."""

import argparse
import fcntl
import json
import os
import resource
import subprocess
import sys
import tempfile
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal

import numpy as np
import pytest

from flows.cli.main import main, unforeseen
from flows.cli.rules import add_rules, rules_of
from flows.config.loading import load_config
from flows.config.train import TrainConfig
from flows.environments import environment
from flows.exit_codes import ExitCode
from flows.workspace import Workspace

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


def test_a_killed_command_leaves_its_session_to_the_next(tmp_path: Path) -> None:
    left, held = (Path(tempfile.mkdtemp(prefix="vr-", dir="/tmp")) for _ in range(2))
    (left / "session").mkdir()
    for folder in (left, held):
        os.utime(folder, (0, 0))
    lock = os.open(held, os.O_RDONLY)
    try:
        fcntl.flock(lock, fcntl.LOCK_SH)  # as a command that runs
        assert run(tmp_path, "history").returncode == 0
        assert [left.exists(), held.exists()] == [False, True]
    finally:
        os.close(lock)
        held.rmdir()


def test_a_full_disk_is_no_bug_whoever_met_it() -> None:
    with pytest.raises(OSError, match="No space") as met:
        Path("/dev/full").write_bytes(b"x")
    gave_up = RuntimeError("a library gave up")
    gave_up.__cause__ = met.value
    code, said = unforeseen(gave_up)
    assert (code, said) == (ExitCode.INPUT, "--workspace, --out: no room left to write: No space left on device")
    assert unforeseen(OSError(5, "Input/output error"))[0] == ExitCode.BUG


def test_a_repository_for_which_there_is_no_room_is_one_sentence(tmp_path: Path) -> None:
    def small_files() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (500, 500))

    command = [sys.executable, "-m", "flows", "history", "--workspace", str(tmp_path / "w")]
    found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, preexec_fn=small_files)
    assert found.returncode == ExitCode.INPUT
    said = f"--workspace: must have room for its repository ([Errno 27] File too large), got {str(tmp_path / 'w')!r}"
    assert found.stderr == f"error: {said}\n"


def test_a_summary_that_cannot_be_written_is_named_and_no_bug(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    found = run(tmp_path, "config", "show", "--summary", str(tmp_path / "file" / "s.json"))
    assert found.returncode == ExitCode.INPUT
    assert found.stderr.startswith("error: --summary: must be a file that can be written (")
    assert "Traceback" not in found.stderr
    assert "model: anomaly-detector" in found.stdout


def test_a_reader_that_goes_away_ends_a_command_as_ctrl_c_does(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "flows", "config", "schema", "--workspace", str(tmp_path / "w")]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as writing:
        assert writing.stdout is not None
        writing.stdout.close()
        assert (writing.wait(timeout=60), writing.stderr.read()) == (ExitCode.INTERRUPTED, b"")


def test_an_unknown_command_exits_with_2(tmp_path: Path) -> None:
    found = run(tmp_path, "trian")
    assert found.returncode == 2
    assert "'trian' is no command; did you mean train?" in found.stderr
    assert "'zzz' is no command; vigia --help lists them" in run(tmp_path, "zzz").stderr


def test_an_option_before_the_command_is_told_its_place(capsys: pytest.CaptureFixture[str]) -> None:
    for words in (["--quiet", "train"], ["--workspace", "w", "train"]):
        with pytest.raises(SystemExit, match="2"):
            main(words)
        assert f"{words[0]} must stand behind a command: vigia COMMAND {words[0]}" in capsys.readouterr().err


def test_the_next_command_looks_where_this_one_did(tmp_path: Path) -> None:
    table, out = tmp_path / "t.csv", tmp_path / "t.yaml"
    table.write_text("a,b\n" + "1.5,2.5\n2.5,1.25\n" * 50)
    found = run(tmp_path, "config", "init", str(table), "--out", str(out))
    assert found.stdout.splitlines()[-1].endswith(f" train --config {out} --workspace {tmp_path / 'workspace'}")


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


def my_csv(folder: Path) -> Path:
    """Four machines, a row each five minutes for two days, some labelled rows."""
    rng = np.random.default_rng(4)
    rows = ["time;machine;rms;temperature;label"]
    for k in range(2_304):
        time = datetime(2024, 1, 1) + timedelta(minutes=5 * (k // 4))
        odd = k % 160 == 0
        rows.append(f"{time};m{k % 4};{rng.gamma(4) + 9 * odd:.4f};{rng.normal():.3f};{int(odd)}")
    (folder / "my.csv").write_text("\n".join(rows) + "\n")
    return folder / "my.csv"


def test_a_table_without_yaml_is_validated_by_its_guessed_roles(tmp_path: Path) -> None:
    table = my_csv(tmp_path)
    found = run(tmp_path, "validate", str(table))
    assert found.returncode == 0
    assert "  series     'machine': named like a series, 4 values, 576 rows each" in found.stdout
    assert "  timestamp: time\n" in found.stdout
    assert "2,304 of 2,304 may be used" in found.stdout
    assert f"train {table}" in found.stdout


def test_init_writes_the_configuration_that_show_prints_and_never_over_a_file(tmp_path: Path) -> None:
    table, out, summary = my_csv(tmp_path), tmp_path / "new" / "my.yaml", tmp_path / "summary.json"
    written = run(
        tmp_path, "config", "init", str(table), "--out", str(out), "--set", "seed=3", "--summary", str(summary)
    )
    assert written.returncode == 0
    assert f"train --config {out}" in written.stdout
    assert json.loads(summary.read_text())["paths"] == {"file": str(out)}
    shown = run(tmp_path, "config", "show", str(table), "--set", "seed=3")
    (tmp_path / "shown.yaml").write_text(shown.stdout)
    assert load_config(TrainConfig, out) == load_config(TrainConfig, tmp_path / "shown.yaml")
    again = run(tmp_path, "config", "init", "--out", str(out), str(table))
    assert again.returncode == 2
    assert "--out: must not exist yet" in again.stderr


def test_with_a_configuration_a_table_only_replaces_its_uri(tmp_path: Path) -> None:
    found = run(tmp_path, "config", "show", "other.csv", "--config", "configs/skab.yaml")
    (tmp_path / "shown.yaml").write_text(found.stdout)
    expected = load_config(TrainConfig, ROOT / "configs" / "skab.yaml", ["data.uri=other.csv"])
    assert load_config(TrainConfig, tmp_path / "shown.yaml") == expected


def test_init_needs_a_table_and_no_configuration(tmp_path: Path) -> None:
    assert "config init: needs a table" in run(tmp_path, "config", "init").stderr
    found = run(tmp_path, "config", "init", "x.csv", "--config", "configs/skab.yaml")
    assert found.returncode == 2
    assert "--config: init writes a new configuration" in found.stderr


def test_a_table_without_yaml_is_trained_on(tmp_path: Path) -> None:
    few = ["search.families=[isolation_forest]", "search.min_labels=1000"]  # too few labels: no search on Ray
    few.append("gate.allowed_features=[rms]")  # it alone tells the labels of this table
    table, summary = my_csv(tmp_path), tmp_path / "summary.json"
    settings = [part for setting in few for part in ("--set", setting)]
    found = run(tmp_path, "train", str(table), *settings, "--quiet", "--summary", str(summary))
    assert (found.returncode, found.stdout) == (0, "")
    written = json.loads(summary.read_text())
    used = load_config(TrainConfig, Path(written["paths"]["run"]) / "config.yaml")
    assert (used.model, used.data.series, used.data.label) == ("my", "machine", "label")
    assert used.data.features == ["rms", "temperature"]


@pytest.mark.parametrize(("controller", "given", "waits"), [
    ("reconcile", [], 60), ("argocd", [], 600), ("argocd", ["--timeout", "30"], 30),
])  # fmt: skip
def test_a_rollout_by_argo_cd_is_given_the_time_that_it_takes(
    tmp_path: Path, controller: Literal["reconcile", "argocd"], given: list[str], waits: float
) -> None:
    parser = argparse.ArgumentParser()
    add_rules(parser)
    place = replace(environment("local", Workspace(tmp_path)), controller=controller)
    assert rules_of(parser.parse_args(given), place).timeout_s == waits
