"""The Dockerfile: linted, non-root, from the lock, and of what the images without Docker are made of."""

import fnmatch
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOCKERFILE = ROOT / "docker" / "Dockerfile"
TEXT = DOCKERFILE.read_text()
STAGES = {match[2]: match[0] for match in re.finditer(r"(?ms)^FROM (\S+) AS (\S+)\n.*?(?=^FROM|\Z)", TEXT)}
TARGETS = ("serve", "train", "ops")


def test_hadolint_has_nothing_to_say() -> None:
    found = subprocess.run([Path(sys.executable).parent / "hadolint", DOCKERFILE], capture_output=True, text=True)
    assert found.stdout + found.stderr == ""
    assert found.returncode == 0


def test_every_lint_that_is_ignored_has_a_reason_above_it() -> None:
    assert set(re.findall(r"hadolint ignore=(\S+)", TEXT)) <= {"DL3008", "DL3059"}
    assert "not pinned: its mirrors keep only the newest" in TEXT.replace("\n# ", " ")


@pytest.mark.parametrize("target", TARGETS)
def test_a_target_runs_as_a_user_with_a_number_and_holds_its_own_environment(target: str) -> None:
    stage = STAGES[target]
    assert re.findall(r"(?m)^USER (\S+)$", stage)[-1] == "1000:1000"  # kubelet checks runAsNonRoot by number
    assert re.findall(r"(?m)^COPY --from=build-(\S+) /opt/vigia /opt/vigia$", stage) == [target]
    assert f"image-install.sh packages {target} /opt/vigia" in STAGES[f"build-{target}"]


@pytest.mark.parametrize("target", TARGETS)
def test_a_commit_enters_an_image_last_and_costs_a_build_no_layer_of_packages(target: str) -> None:
    steps = re.findall(r"(?m)^(COPY \. \.|ARG REVISION|RUN scripts/image-install\.sh vigia)", STAGES[f"build-{target}"])
    assert steps == ["COPY . .", "ARG REVISION", "RUN scripts/image-install.sh vigia"]


def test_only_training_installs_torch() -> None:
    assert [name for name, stage in STAGES.items() if "image-install.sh torch" in stage] == ["build-train"]


def test_what_kuberay_runs_in_a_container_is_there() -> None:
    """Its probes are `bash -c "wget … | grep success"`; it starts `ray` from PATH, also under a login shell."""
    assert "wget" in STAGES["ray"]
    assert "/opt/vigia/bin/ray /usr/local/bin/" in STAGES["runtime"]
    assert STAGES["serve"].startswith("FROM ray AS serve")
    assert STAGES["train"].startswith("FROM ray AS train")


def test_ops_has_git_and_ssh_and_no_ray() -> None:
    assert "git openssh-client" in STAGES["ops"]
    assert STAGES["ops"].startswith("FROM runtime")


def test_one_base_for_all_that_a_release_can_name_by_digest() -> None:
    assert re.findall(r"(?m)^ARG PYTHON_IMAGE=(\S+)$", TEXT) == ["python:3.11-slim-bookworm"]
    bases = {match[1] for match in re.finditer(r"(?m)^FROM (\S+) AS", TEXT)}
    assert bases - set(STAGES) == {"${PYTHON_IMAGE}"}


def test_a_build_sees_what_it_copies_and_nothing_else() -> None:
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    assert lines[1] == "*"
    allowed = {line[1:] for line in lines if line.startswith("!")}
    copied = set(re.findall(r"(?m)^COPY (?!--from)(.+) \S+$", TEXT)) - {". ."}
    assert {name for line in copied for name in line.split()} - {"."} <= allowed
    assert all((ROOT / name).exists() for name in allowed)
    assert not any(fnmatch.fnmatch(".git/config", pattern) or pattern == "tests" for pattern in allowed)


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("target", TARGETS)
def test_the_environment_of_an_image_holds_what_it_must(target: str) -> None:
    """Small form: test_packages.py, without installing."""
    done = subprocess.run([ROOT / "scripts/check-images.sh", target], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith(f"{target}: ")
