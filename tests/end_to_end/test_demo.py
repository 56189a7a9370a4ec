"""The whole loop as a person runs it."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.end_to_end
def test_the_promoted_digest_answers_the_documented_call(tmp_path: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    home, workspace, summary = tmp_path / "home", tmp_path / "workspace", tmp_path / "summary.json"
    home.mkdir()
    # A configuration of its own: the small fleet has ten features, so the documented call fits as it is written.
    settings = ["--set", "data.uri=fleet://?sensors=12&days=8&seed=3", "--set", "search.trials=4", "--port", str(port)]
    done = subprocess.run(
        [sys.executable, "-m", "flows", "demo", "--workspace", workspace, "--summary", summary, *settings],
        cwd=ROOT,
        env={**os.environ, "HOME": str(home)},
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads(summary.read_text())
    assert found["figures"]["answer"]["model"]["digest"] == found["digest"]
    assert len(found["figures"]["answer"]["scores"]) == 1
    assert {replica["served"] for replica in found["figures"]["replicas"]} == {found["digest"]}
    story = found["figures"]["story"]
    assert "schema: requests carry the champion's features" in story["refused"]
    assert "was reverted to version 1" in story["reverted"]
    assert "(digest)" in story["reverted"]
    assert "version 1 serves everywhere again" in story["reverted"]
    assert story["rolled_back_to"] == found["digest"]
    assert story["status"] == 0
    moves = [json.loads(line) for line in (workspace / "aliases.jsonl").read_text().splitlines()]
    champions = [move["digest"] == found["digest"] for move in moves if move["alias"] == "champion-local"]
    assert champions == [True, False, True]  # the bundle that broke was never champion
    assert Path(found["paths"]["drift"]).stat().st_size > 10_000
    assert "SIMULATED" in done.stdout
    head = subprocess.run(
        ["git", "show", "main:manifests/overlays/local/rayservice-serve-config.yaml"],
        cwd=workspace / "gitops.git",
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert f'digest: "{found["digest"]}"' in head
    assert [path for path in home.rglob("*") if path.is_file()] == []
    assert not Path(found["ray_session"]).exists()
    assert not (workspace / "service.json").exists()
