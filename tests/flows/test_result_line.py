"""The last line of a job's log."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from flows.exit_codes import ExitCode
from flows.result_line import PREFIX, job_code, read_result, result_line

TOLD = {"command": "drift", "exit_code": 10, "error": "", "spans": [], "digest": "ab", "version": "3", "run_id": "r"}
TOLD |= {"figures": {"moved": ["temperatura é alta\n"]}, "paths": {}}


def test_a_line_is_read_back_from_a_log() -> None:
    found = read_result(f"Loading (0.1 s)\n{result_line(TOLD)}\n")
    assert found is not None
    assert (found.command, found.exit_code, found.digest, found.figures) == ("drift", 10, "ab", TOLD["figures"])


def test_it_is_one_line_of_ascii() -> None:
    assert result_line(TOLD).isascii()
    assert len(result_line(TOLD).splitlines()) == 1


def test_the_last_line_counts() -> None:
    found = read_result(f"{result_line(TOLD)}\n{result_line(TOLD | {'exit_code': 0})}\nbye\n")
    assert found is not None
    assert found.exit_code == 0


@pytest.mark.parametrize("log", ["", "no line", PREFIX, result_line(TOLD)[:-9], f"{PREFIX}[1]", f'{PREFIX}{{"a": 1}}'])
def test_a_job_that_was_killed_has_no_result(log: str) -> None:
    assert read_result(log) is None


@pytest.mark.parametrize(
    "told", [{"exit_code": 99}, {"exit_code": "0"}, {"exit_code": None}, {"figures": [1]}, {"error": None}]
)
def test_what_no_job_of_ours_would_say_is_no_result(told: dict[str, object]) -> None:
    assert read_result(result_line(TOLD | told)) is None


def test_a_figure_that_is_no_number_may_be_in_it() -> None:
    found = read_result(result_line(TOLD | {"figures": {"auc": float("nan")}}))
    assert found is not None


@pytest.mark.parametrize("code", ExitCode)
def test_a_verdict_is_no_failure_of_the_job(code: ExitCode) -> None:
    assert job_code(code) == (0 if code in (3, 10, 11) else code)


def test_a_command_ends_with_it_though_it_failed(tmp_path: Path) -> None:
    asked = ["train", "--set", f"data.uri={tmp_path / 'absent.csv'}", "--workspace", str(tmp_path / "w")]
    command = [sys.executable, "-m", "flows", *asked, "--quiet", "--result-line"]
    found = subprocess.run(command, cwd=Path(__file__).parents[2], capture_output=True, text=True, check=False)
    assert found.returncode == 2
    said = json.loads(found.stdout.removeprefix(PREFIX))
    assert said["exit_code"] == 2
    assert "absent.csv" in said["error"]
