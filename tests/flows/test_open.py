"""`vigia open`: the newest page of a kind, or that of a named run; MLflow's pages while somebody looks."""

import os
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from features.errors import InputError
from flows.adapters.mlflow_ui import mlflow_ui
from flows.steps.open import PAGES, open_page
from flows.workspace import Workspace


def with_pages(root: Path, *names: str) -> Workspace:
    for name in names:
        page = root / "runs" / name
        page.parent.mkdir(parents=True, exist_ok=True)
        page.write_text("<!doctype html>")
    return Workspace(root)


def test_latest_is_the_newest_run_that_has_such_a_page(tmp_path: Path) -> None:
    names = (
        "20260101-000000-train-a/card.html",
        "20260102-000000-train-b/card.html",
        "20260103-000000-drift-c/drift.html",
    )
    workspace, shown = with_pages(tmp_path, *names), list[str]()
    found = open_page("card", "latest", workspace, shown.append)
    assert found.paths == {"card": str(tmp_path / "runs" / names[1])}
    assert shown == [(tmp_path / "runs" / names[1]).as_uri()]


def test_a_run_is_named_by_its_name_or_its_folder(tmp_path: Path) -> None:
    workspace = with_pages(tmp_path, "a/drift.html", "b/drift.html")
    for asked in ("a", str(tmp_path / "runs" / "a")):
        assert open_page("drift", asked, workspace, lambda _: None).paths["drift"].endswith("a/drift.html")


@pytest.mark.parametrize("what", PAGES)
def test_what_is_not_there_is_named(tmp_path: Path, what: str) -> None:
    with pytest.raises(InputError, match=rf"--run: no run in .* has a {what}\.html; run `vigia train` first"):
        open_page(what, "latest", Workspace(tmp_path), lambda _: None)
    with pytest.raises(InputError, match=rf"--run: must be latest, or a run in .* that holds a {what}\.html, got 'x'"):
        open_page(what, "x", Workspace(tmp_path), lambda _: None)


def test_a_server_s_pages_are_where_it_is(tmp_path: Path) -> None:
    with mlflow_ui("https://mlflow.example", tmp_path) as url:
        assert url == "https://mlflow.example"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_mlflow_s_pages_answer_until_they_are_interrupted_and_leave_no_process(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "flows", "open", "mlflow", "--print", "--workspace", str(tmp_path)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONUNBUFFERED": "1"}
    ) as ui:
        assert ui.stdout is not None
        started = ui.stdout.readline()
        url = next(word for word in started.split() if word.startswith("http://127.0.0.1:"))
        with urllib.request.urlopen(f"{url}/ajax-api/2.0/mlflow/experiments/search?max_results=1") as answer:
            assert answer.status == 200
        assert "until Ctrl-C" in ui.stdout.readline()
        time.sleep(0.5)
        ui.send_signal(signal.SIGINT)
        assert ui.wait(30) == 0
    with pytest.raises(OSError, match="refused"):
        urllib.request.urlopen(f"{url}/health", timeout=5)
