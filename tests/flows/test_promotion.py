"""The edit, and promotion into a real repository."""

from pathlib import Path

import pytest
import yaml

from features.errors import InputError, RolloutError
from flows.adapters.git import commit_change, read_head, seed_repository
from flows.promotion.edit import promote_text, read_leaves
from flows.promotion.message import promotion_message

MANIFESTS = Path(__file__).parents[2] / "manifests"
FILE = "manifests/overlays/local/rayservice-serve-config.yaml"
FIRST = {"uri": "file:///a", "digest": "d1", "model": "m", "version": "1"}
SECOND = {"uri": "file:///b: #x", "digest": "d2", "model": "m", "version": "2"}


@pytest.fixture
def text() -> str:
    return (MANIFESTS.parent / FILE).read_text()


def test_only_value_lines_change_and_the_old_bundle_becomes_previous(text: str) -> None:
    new = promote_text(promote_text(text, FIRST), SECOND)
    leaves = read_leaves(new)
    assert {key: leaves[("bundle", key)] for key in SECOND} == SECOND
    assert {key: leaves[("previous", key)] for key in FIRST} == FIRST
    changed = [(a, b) for a, b in zip(text.splitlines(), new.splitlines(), strict=True) if a != b]
    assert len(changed) == 8
    assert all(a.split(":")[0] == b.split(":")[0] for a, b in changed)


def test_the_same_digest_changes_nothing(text: str) -> None:
    once = promote_text(text, FIRST)
    assert promote_text(once, FIRST) == once


def test_comments_inside_the_block_survive(text: str) -> None:
    commented = text.replace('digest: ""', 'digest: ""  # sha256', 1)
    assert 'digest: "d1"  # sha256' in promote_text(commented, FIRST)


@pytest.mark.parametrize(
    ("broken", "field"),
    [
        ("kind: Other\n", "manifest"),
        ("kind: RayService\nspec: {serveConfigV2: 'x: 1'}\n", "serveConfigV2"),
        ("kind: [\n", "manifest"),
    ],
)
def test_what_cannot_be_edited_safely_is_refused(broken: str, field: str) -> None:
    with pytest.raises(InputError) as caught:
        promote_text(broken, FIRST)
    assert caught.value.field == field


def test_a_missing_leaf_is_named(text: str) -> None:
    with pytest.raises(InputError, match=r"previous\.uri"):
        promote_text(text.replace("              previous:", "              other:"), FIRST)


def test_a_commit_reaches_the_bare_repository_and_holds_the_whole_file(tmp_path: Path, text: str) -> None:
    repository = tmp_path / "gitops.git"
    seed_repository(repository, "main", MANIFESTS)
    before, found = read_head(repository, "main", FILE)
    assert found == text
    new = promote_text(text, FIRST)
    commit = commit_change(repository, "main", FILE, text, new, promotion_message("local", FIRST, {}, "r"))
    assert read_head(repository, "main", FILE) == (commit, new)
    assert commit != before


def test_a_head_that_moved_is_not_overwritten(tmp_path: Path, text: str) -> None:
    repository = tmp_path / "gitops.git"
    seed_repository(repository, "main", MANIFESTS)
    first = promote_text(text, FIRST)
    commit_change(repository, "main", FILE, text, first, "first")
    with pytest.raises(RolloutError):
        commit_change(repository, "main", FILE, text, promote_text(text, SECOND), "second")
    assert read_head(repository, "main", FILE)[1] == first


def test_seeding_twice_keeps_what_is_there(tmp_path: Path, text: str) -> None:
    repository = tmp_path / "gitops.git"
    seed_repository(repository, "main", MANIFESTS)
    commit = commit_change(repository, "main", FILE, text, promote_text(text, FIRST), "first")
    seed_repository(repository, "main", MANIFESTS)
    assert read_head(repository, "main", FILE)[0] == commit


def test_the_message_is_a_short_subject_and_trailers() -> None:
    message = promotion_message("local", {**FIRST, "model": "m" * 80}, {}, "run")
    subject, _, body = message.partition("\n\n")
    assert len(subject) <= 72
    trailers = yaml.safe_load(body.partition("\n\n")[2])
    assert trailers["Bundle-Digest"] == "d1"
    assert trailers["Previous-Digest"] == "none"
