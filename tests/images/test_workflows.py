"""The workflows: valid YAML, actions pinned by SHA, the least permissions, no text of others in a shell."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))
Json = dict[str, Any]


def jobs(file: Path) -> dict[str, Json]:
    """Jobs by name."""
    found: dict[str, Json] = yaml.safe_load(file.read_text())["jobs"]
    return found


def runs() -> Iterator[tuple[str, str]]:
    """Every shell step, with where it stands."""
    for file in WORKFLOWS:
        for name, job in jobs(file).items():
            yield from ((f"{file.name}/{name}", step["run"]) for step in job["steps"] if "run" in step)


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.name)
def test_every_action_is_pinned_to_a_commit_with_its_version_beside_it(file: Path) -> None:
    uses = re.findall(r"(?m)^\s*(?:- )?uses: (.*)$", file.read_text())
    assert uses or "uses" not in file.read_text()
    for use in uses:
        assert re.fullmatch(r"actions/[a-z-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", use), use


def test_one_action_has_one_commit_in_all_workflows() -> None:
    used = {use for file in WORKFLOWS for use in re.findall(r"uses: (\S+@\S+)", file.read_text())}
    assert len(used) == len({use.partition("@")[0] for use in used})


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.name)
def test_a_workflow_may_read_the_repository_and_no_more(file: Path) -> None:
    assert yaml.safe_load(file.read_text())["permissions"] == {"contents": "read"}


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.name)
def test_only_the_release_of_a_tag_may_write_and_only_packages(file: Path) -> None:
    for name, job in jobs(file).items():
        writes = {scope for scope, access in job.get("permissions", {}).items() if access != "read"}
        assert not writes or (name, writes) == ("release", {"packages", "id-token"})
        assert not writes or job["if"] == "startsWith(github.ref, 'refs/tags/v')"


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.name)
def test_a_checkout_leaves_no_token_behind_and_every_job_ends(file: Path) -> None:
    for job in jobs(file).values():
        assert 0 < job["timeout-minutes"] <= 90
        checkouts = [step for step in job["steps"] if step.get("uses", "").startswith("actions/checkout@")]
        assert all(step["with"] == {"persist-credentials": False} for step in checkouts)


def test_no_expression_is_pasted_into_a_shell() -> None:
    """Titles and branch names are other people's text; values reach a shell through `env` alone."""
    assert [where for where, text in runs() if "${{" in text] == []


def test_shell_steps_pass_shellcheck(tmp_path: Path) -> None:
    program = Path(sys.executable).parent / "shellcheck"
    files = []
    for number, (where, text) in enumerate(runs()):
        files.append(tmp_path / f"{number}-{where.replace('/', '-')}.sh")
        files[-1].write_text(f"#!/bin/bash\nset -eo pipefail\n{text}")
    found = subprocess.run([program, *files], capture_output=True, text=True)
    assert found.stdout + found.stderr == ""


def test_scripts_and_files_that_steps_name_exist() -> None:
    named = {name for _, text in runs() for name in re.findall(r"(?<![\w/~])((?:scripts|\.ci)/[\w./-]+)", text)}
    assert {"scripts/build-image.sh", "scripts/install-cosign.sh", "scripts/1-config-cluster.sh"} <= named
    assert [name for name in named if not (ROOT / name).exists()] == []


def test_every_target_of_the_dockerfile_is_built_and_released() -> None:
    found = jobs(ROOT / ".github/workflows/images.yml")
    stages = set(re.findall(r"(?m)^FROM \S+ AS (\S+)$", (ROOT / "docker/Dockerfile").read_text()))
    for name in ("build", "release"):
        targets = found[name]["strategy"]["matrix"]["target"]
        assert targets == ["serve", "ops", "train"]
        assert set(targets) <= stages
