"""`vigia promote` in a real repository: what it commits, what it refuses, and that it touches nothing else."""

import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from features.errors import InputError, RefusedError, RolloutError, UnreachableError
from features.storage import local_path
from flows.adapters.registry import Registry
from flows.exit_codes import ExitCode
from flows.promotion.admission import Overrides
from flows.promotion.edit import promote_text, read_leaves
from flows.promotion.hold import hold_file
from flows.promotion.message import read_trailers
from flows.steps.head import coordinates
from flows.steps.hold import hold, release
from flows.steps.promote import preview, promote
from tests.fakes.meddling_git import meddling_git
from tests.flows.promotion.place import FILE, Place, run_in

NONE = Overrides()
FORCE = Overrides(force=True, reason="the plant\nasked for it")


def go(place: Place, version: str | None = None, overrides: Overrides = NONE) -> str:
    """Promote, and what the last screen says of it."""
    return promote(place.environment, place.registry, place.model, version, overrides).lines[0][1]


def named(place: Place) -> str:
    """The version at the head."""
    return read_leaves(place.text())[("bundle", "version")]


def test_a_promotion_is_one_commit_of_one_file_and_only_value_lines(place: Place) -> None:
    place.register(1)
    go(place)
    place.register(2)
    go(place)
    assert len(place.log()) == 3
    shown = place.git("show", "--format=", "--unified=0", "main").splitlines()
    assert [line for line in shown if line.startswith("+++")] == [f"+++ b/{FILE}"]
    lines = [line for line in shown if line[0] in "+-" and line[:3] not in ("+++", "---")]
    assert {line[1:].split(":")[0].strip() for line in lines} == {"uri", "digest", "model", "version"}


def test_the_old_bundle_is_written_beside_as_previous(place: Place) -> None:
    old, new = place.register(1), place.register(2)
    go(place, old.version)
    go(place, new.version)
    leaves = read_leaves(place.text())
    assert leaves[("previous", "digest")] == old.digest
    assert leaves[("bundle", "digest")] == new.digest


def test_the_commit_says_what_why_and_from_what_it_was_made(place: Place) -> None:
    made = place.register(1, data_fingerprint="f00d", commit="c0de")
    go(place)
    message = place.git("log", "-1", "--format=%B", "main")
    assert message.splitlines()[0] == f"Promote {place.model} 1 to local"
    assert "quality: better" in message
    trailers = place.git("log", "-1", "--format=%(trailers)", "main").strip().splitlines()
    assert trailers == [
        f"Model-Name: {place.model}",
        "Model-Version: 1",
        f"Bundle-Digest: {made.digest}",
        "Previous-Digest: none",
        "Run-Id: run-1",
        "Data-Fingerprint: f00d",
        "Code-Commit: c0de",
        "Gate: pass",
    ]


def test_again_commits_nothing(place: Place) -> None:
    place.register(1)
    go(place)
    before = place.log()
    assert go(place) == "version 1 is already there; nothing to do"
    assert place.log() == before


def test_the_same_digest_under_another_number_is_already_there(place: Place) -> None:
    place.register(1)
    go(place)
    text = place.text().replace('version: "1"', 'version: "77"')
    place.commit(FILE, text, "by hand")
    assert go(place) == "version 1 is the bundle of version 77, which is already there; nothing to do"


def test_a_dry_run_shows_message_diff_and_objections_and_commits_nothing(place: Place) -> None:
    made = place.register(1, gate="refuse")
    done = preview(place.environment, place.registry, place.model, None)
    said = dict(done.lines)
    assert said["Message"].strip().startswith(f"Promote {place.model} 1 to local")
    assert f'+                digest: "{made.digest}"' in said["Diff"]
    assert said["Refused"] == "the gate refused version 1 (--force --reason overrides)"
    assert done.exit_code == ExitCode.REFUSED
    assert place.log() == ["Seed the environment"]


def test_without_a_challenger_there_is_nothing_to_promote(place: Place) -> None:
    with pytest.raises(InputError, match="has no challenger"):
        go(place)


def test_what_the_gate_refused_is_promoted_only_by_force_and_the_commit_says_so(place: Place) -> None:
    place.register(1, gate="refuse")
    with pytest.raises(RefusedError, match="the gate refused version 1"):
        go(place)
    assert place.log() == ["Seed the environment"]
    go(place, overrides=FORCE)
    message = place.git("log", "-1", "--format=%B", "main")
    assert "Reason: the plant asked for it\n" in message
    assert "- the gate refused version 1\n" in message
    assert read_trailers(message)["Gate"] == "refuse (overridden)"


def test_a_version_that_was_rolled_away_from_needs_force(place: Place) -> None:
    place.register(1, rolled_back_local="too many alerts")
    with pytest.raises(RefusedError, match="local was rolled back from version 1: too many alerts"):
        go(place)
    go(place, overrides=FORCE)
    assert named(place) == "1"


def test_other_features_need_a_word_of_those_who_ask(place: Place) -> None:
    place.register(1)
    go(place)
    place.register(2, features="abc", past=2)
    with pytest.raises(RefusedError, match="new features c; 2 past rows instead of 0"):
        go(place, overrides=FORCE)
    go(place, overrides=Overrides(schema_change=True))
    assert named(place) == "2"


def test_a_champion_that_does_not_load_hides_what_requests_carry(place: Place) -> None:
    old = place.register(1.5)
    go(place)
    place.register(2)
    shutil.rmtree(local_path(old.uri))
    with pytest.raises(RefusedError, match="what requests carry now cannot be told"):
        go(place)
    go(place, overrides=Overrides(schema_change=True))
    assert named(place) == "2"


def test_content_that_changed_after_registration_is_not_promoted(place: Place) -> None:
    made = place.register(3.25)
    (local_path(made.uri) / "model.onnx").write_bytes(b"other")
    with pytest.raises(InputError, match="must have digest"):
        go(place)
    assert place.log() == ["Seed the environment"]


def test_a_bundle_that_the_environment_cannot_read_is_named_with_the_way_there(place: Place, tmp_path: Path) -> None:
    made = place.register(1)
    elsewhere = replace(place.environment, bundles=(tmp_path / "other").as_uri())
    with pytest.raises(InputError, match=f"`vigia publish {made.digest} --to local` copies it"):
        promote(elsewhere, place.registry, place.model, None)


def test_a_hold_keeps_promotions_out_even_by_force_until_it_is_released(place: Place) -> None:
    place.register(1)
    hold(place.environment, "audit until Friday")
    with pytest.raises(RefusedError, match=r"local is on hold since .*: audit until Friday; `vigia hold local --rel"):
        go(place, overrides=FORCE)
    release(place.environment, "audit over")
    assert place.log() == ["Release local", "Hold local", "Seed the environment"]
    go(place)
    assert named(place) == "1"


def test_a_hold_twice_is_one_and_no_release_is_none(place: Place) -> None:
    release(place.environment, "")
    hold(place.environment, "a")
    assert "was on hold already, since" in hold(place.environment, "b").lines[0][1]
    assert place.log() == ["Hold local", "Seed the environment"]


def test_a_hold_needs_a_reason(place: Place) -> None:
    with pytest.raises(InputError, match="--reason: must say why"):
        hold(place.environment, " ")


def test_a_file_that_is_not_there_is_named(place: Place) -> None:
    place.register(1)
    lost = replace(place.environment, file="manifests/overlays/lost/rayservice-serve-config.yaml")
    with pytest.raises(
        InputError, match=r"^manifests/overlays/lost/rayservice-serve-config\.yaml: must exist at the he"
    ):
        promote(lost, place.registry, place.model, None)


def test_two_rayservices_in_the_file_are_refused_by_line(place: Place) -> None:
    place.register(1)
    place.commit(FILE, place.text() + "---\n" + place.text(), "twice")
    with pytest.raises(
        InputError, match=r"rayservice-serve-config\.yaml:\d+: must hold exactly one RayService, got 2; .* git revert"
    ):
        go(place)


def test_a_remote_that_is_gone_is_worth_another_try(place: Place) -> None:
    place.register(1)
    with pytest.raises(UnreachableError, match="git clone"):
        go(place.at(place.repository.with_name("gone.git")))


def test_a_version_whose_bundle_is_gone_from_its_store_cannot_be_promoted(place: Place) -> None:
    version = place.register(1)
    shutil.rmtree(local_path(version.uri))
    with pytest.raises(InputError, match=r"--env: local must be able to read version 1: it is gone from its store"):
        go(place)
    assert place.log() == ["Seed the environment"]


def test_without_the_registry_nothing_is_promoted(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    with pytest.raises(UnreachableError, match="registry"):
        promote(place.environment, Registry("http://127.0.0.1:1", None), place.model, None)
    assert place.log() == ["Seed the environment"]


@pytest.mark.parametrize("state", ["dirty", "detached"])
def test_the_checkout_of_a_person_is_never_touched(
    place: Place, tmp_path: Path, state: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.register(1)
    mine = tmp_path / "mine"
    run_in(tmp_path, "clone", "--quiet", str(place.repository), str(mine))
    (mine / FILE).write_text("my own work\n")
    if state == "detached":
        run_in(mine, "checkout", "--quiet", "--detach")
    before = {name: (mine / name).read_bytes() for name in (".git/HEAD", ".git/index", FILE)}
    monkeypatch.chdir(mine)
    monkeypatch.setenv("GIT_DIR", str(mine / ".git"))  # as a hook of git would
    monkeypatch.setenv("GIT_INDEX_FILE", str(mine / ".git" / "index"))
    go(place)
    assert {name: (mine / name).read_bytes() for name in before} == before
    monkeypatch.undo()
    assert named(place) == "1"


def test_what_somebody_else_promoted_meanwhile_is_not_written_over(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, theirs, mine = place.register(1), place.register(2), place.register(3)
    go(place, first.version)
    text = promote_text(place.text(), coordinates(theirs)).text
    meanwhile(place, tmp_path, monkeypatch, FILE, text)
    with pytest.raises(RolloutError, match=rf"version 2, sha256:{theirs.digest[:12]}; not .* version 3, sha256:"):
        go(place, mine.version)
    assert named(place) == "2"
    assert place.log()[0] == "meanwhile"


def test_an_unrelated_push_meanwhile_is_built_upon(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.register(1)
    meanwhile(place, tmp_path, monkeypatch, FILE, place.text().replace("num_replicas: 1", "num_replicas: 2"))
    go(place)
    assert place.log() == [f"Promote {place.model} 1 to local", "meanwhile", "Seed the environment"]
    assert "num_replicas: 2" in place.text()
    assert named(place) == "1"


def test_a_hold_meanwhile_keeps_the_promotion_out(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.register(1)
    meanwhile(place, tmp_path, monkeypatch, hold_file(FILE), "reason: stop\nsince: now\n")
    with pytest.raises(RefusedError, match="on hold since now: stop"):
        go(place)


def meanwhile(place: Place, folder: Path, monkeypatch: pytest.MonkeyPatch, file: str, text: str) -> None:
    """Somebody else's commit reaches the repository just before the next push does."""
    theirs = folder / "theirs"
    run_in(folder, "clone", "--quiet", str(place.repository), str(theirs))
    (theirs / file).write_text(text)
    run_in(theirs, "add", file)
    run_in(theirs, "-c", "user.name=other", "-c", "user.email=other@localhost", "commit", "--quiet", "-m", "meanwhile")
    rival = f"(cd {theirs} && {shutil.which('git')} push --quiet origin HEAD:main)"
    monkeypatch.setenv("PATH", str(meddling_git(folder / "bin", "push", before=rival)), prepend=os.pathsep)
