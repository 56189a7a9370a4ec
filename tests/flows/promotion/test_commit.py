"""A promotion in a real repository: what is committed, and what the overlay built from it says."""

import shutil
import subprocess
from pathlib import Path

import pytest

from features.errors import InputError, RolloutError
from flows.adapters.clone import cloned
from flows.adapters.git import commit_change, read_head, seed_repository
from flows.adapters.kustomize import build_overlay
from flows.promotion.edit import Target, promote_text, read_leaves
from flows.promotion.message import Facts, promotion_message
from flows.steps.overlay import refuse_bad_overlay

MANIFESTS = Path(__file__).parents[3] / "manifests"
FILE = "manifests/overlays/local/rayservice-serve-config.yaml"
FIRST = {"uri": "file:///a", "digest": "d1", "model": "m", "version": "1"}
SECOND = {"uri": "file:///b: #x", "digest": "d2", "model": "m", "version": "2"}
KUSTOMIZE = pytest.mark.skipif(not (shutil.which("kubectl") or shutil.which("kustomize")), reason="needs kustomize")
RAYSERVICE = (
    "apiVersion: ray.io/v1\nkind: RayService\nmetadata: {name: anomaly-detector}\nspec: {rayClusterConfig: {}}\n"
)


@pytest.fixture
def text() -> str:
    return (MANIFESTS.parent / FILE).read_text()


@pytest.fixture
def overlay(tmp_path: Path) -> Path:
    """A repository whose overlay patches a base, as a cluster's does."""
    folder = tmp_path / "manifests"
    (folder / "base").mkdir(parents=True)
    (folder / "base" / "rayservice.yaml").write_text(RAYSERVICE)
    (folder / "base" / "kustomization.yaml").write_text("resources: [rayservice.yaml]\n")
    shutil.copytree(MANIFESTS / "overlays" / "local", folder / "overlays" / "local")
    kustomization = "resources: [../../base]\npatches: [{path: rayservice-serve-config.yaml}]\n"
    (folder / "overlays" / "local" / "kustomization.yaml").write_text(kustomization)
    seed_repository(tmp_path / "gitops.git", "main", folder)
    return tmp_path / "gitops.git"


def test_a_commit_reaches_the_bare_repository_and_holds_the_whole_file(tmp_path: Path, text: str) -> None:
    repository = tmp_path / "gitops.git"
    seed_repository(repository, "main", MANIFESTS)
    before, found = read_head(repository, "main", FILE)
    assert found == text
    new = promote_text(text, FIRST).text
    commit = commit_change(repository, "main", FILE, text, new, promotion_message("local", FIRST, {}, Facts("r")))
    assert read_head(repository, "main", FILE) == (commit, new)
    assert commit != before


def test_a_head_that_moved_is_not_overwritten(tmp_path: Path, text: str) -> None:
    repository = tmp_path / "gitops.git"
    seed_repository(repository, "main", MANIFESTS)
    first = promote_text(text, FIRST).text
    commit_change(repository, "main", FILE, text, first, "first")
    with pytest.raises(RolloutError):
        commit_change(repository, "main", FILE, text, promote_text(text, SECOND).text, "second")
    assert read_head(repository, "main", FILE)[1] == first


def test_seeding_twice_keeps_what_is_there(tmp_path: Path, text: str) -> None:
    repository = tmp_path / "gitops.git"
    seed_repository(repository, "main", MANIFESTS)
    commit = commit_change(repository, "main", FILE, text, promote_text(text, FIRST).text, "first")
    seed_repository(repository, "main", MANIFESTS)
    assert read_head(repository, "main", FILE)[0] == commit


def test_git_shows_one_file_and_only_value_lines(tmp_path: Path, text: str) -> None:
    repository = tmp_path / "gitops.git"
    seed_repository(repository, "main", MANIFESTS)
    first = promote_text(text, FIRST).text
    commit_change(repository, "main", FILE, text, first, "first")
    commit_change(repository, "main", FILE, first, promote_text(first, SECOND).text, "second")
    command = ["git", "show", "--format=", "--unified=0", "main"]
    shown = subprocess.run(command, cwd=repository, capture_output=True, check=True, text=True).stdout.splitlines()
    assert [line for line in shown if line.startswith("+++")] == [f"+++ b/{FILE}"]
    lines = [line for line in shown if line[0] in "+-" and line[:3] not in ("+++", "---")]
    assert len(lines) == 14
    assert {line[1:].split(":")[0].strip() for line in lines} == set(FIRST)


@KUSTOMIZE
def test_the_built_overlay_serves_what_was_promised(tmp_path: Path, overlay: Path) -> None:
    commit, text = read_head(overlay, "main", FILE)
    new = promote_text(text, SECOND).text
    with cloned(overlay, "main") as clone:
        refuse_bad_overlay(clone, Target(FILE), new)
        clone.check_out(commit, tmp_path / "checkout")
    file = tmp_path / "checkout" / FILE
    file.write_bytes(new.encode())
    built = build_overlay(file.parent)
    assert built is not None
    assert "rayClusterConfig" in built
    assert read_leaves(built) == read_leaves(new)


@KUSTOMIZE
def test_an_overlay_that_says_something_else_is_refused(tmp_path: Path, overlay: Path) -> None:
    commit, text = read_head(overlay, "main", FILE)
    folder = tmp_path / "clone"
    with cloned(overlay, "main") as clone:
        clone.check_out(commit, folder)
    late = promote_text(text, FIRST).text
    (folder / Path(FILE).parent / "late.yaml").write_text(late)
    changed = folder / Path(FILE).parent / "kustomization.yaml"
    changed.write_text("resources: [../../base]\npatches: [{path: rayservice-serve-config.yaml}, {path: late.yaml}]\n")
    seed_repository(tmp_path / "other.git", "main", folder / "manifests")
    rule = (
        r"^manifests/overlays/local \(built\): must hold bundle\.uri: file:///b: #x, as the edited file does, got 'file"
    )
    with cloned(tmp_path / "other.git", "main") as clone, pytest.raises(InputError, match=rule):
        refuse_bad_overlay(clone, Target(FILE), promote_text(text, SECOND).text)


@KUSTOMIZE
def test_an_overlay_that_cannot_be_built_is_refused_in_its_own_words(tmp_path: Path) -> None:
    (tmp_path / "kustomization.yaml").write_text("resources: [nothing.yaml]\n")
    with pytest.raises(InputError, match=r"cannot be built by kustomize: .*nothing\.yaml"):
        build_overlay(tmp_path)


def test_without_an_overlay_there_is_nothing_to_build(tmp_path: Path, text: str) -> None:
    assert build_overlay(tmp_path) is None
    seed_repository(tmp_path / "gitops.git", "main", MANIFESTS)
    with cloned(tmp_path / "gitops.git", "main") as clone:
        refuse_bad_overlay(clone, Target(FILE), promote_text(text, FIRST).text)
