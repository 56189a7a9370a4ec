"""`vigia doctor` on a laptop, as a user calls it."""

import json
from pathlib import Path

import pytest

from flows.cli.main import main
from flows.exit_codes import ExitCode
from flows.workspace import Workspace


def titles(summary: Path) -> dict[str, str]:
    return {one["title"]: one["verdict"] for one in json.loads(summary.read_text())["figures"]["checks"]}


def test_a_new_workspace_lacks_nothing_but_a_running_service(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = main(["doctor", "--workspace", str(tmp_path / "w"), "--summary", str(tmp_path / "s.json")])
    found = titles(tmp_path / "s.json")
    assert (code, found.pop("Service")) == (ExitCode.RETRY, "unknown")
    assert set(found.values()) == {"ok"}
    shown = capsys.readouterr().out
    assert "start it with `vigia serve`" in shown
    assert "1 could not be told" in shown


def test_a_store_and_a_token_that_are_not_there_are_to_be_mended(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    workspace = Workspace(tmp_path / "w")
    workspace.root.mkdir()
    described = (
        "local:\n  file: manifests/nothing.yaml\n  repository: /nowhere\n"
        "  tokens: {probe: {variable: NO_SUCH_TOKEN}, registry: {variable: NOR_SUCH}}\n"
    )
    (workspace.root / "environments.yaml").write_text(described)
    code = main(["doctor", "--workspace", str(workspace.root), "--summary", str(tmp_path / "s.json")])
    found = titles(tmp_path / "s.json")
    assert code == ExitCode.INPUT
    assert {title for title, verdict in found.items() if verdict == "failed"} >= {"Token probe", "Token registry"}
    assert found["Git"] != "ok"
    assert found["Service"] == "left out"
    assert "local.tokens.probe: the variable NO_SUCH_TOKEN must hold a token" in capsys.readouterr().out
