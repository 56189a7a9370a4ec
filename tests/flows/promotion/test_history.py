"""What an environment served when, by what its file said; merges by pull request are in test_pull_request."""

from dataclasses import replace
from pathlib import Path

import pytest

from flows.promotion.edit import Target, promote_text
from flows.promotion.history import Entry, Revision, entries
from flows.promotion.message import promotion_message
from flows.steps.history import history, read_history
from flows.steps.promote import promote
from tests.flows.promotion.place import FILE, MANIFESTS, Place, run_in

SEED = (MANIFESTS.parent / FILE).read_text()


def bundle(version: str) -> dict[str, str]:
    return {"uri": f"file:///{version}", "digest": f"d{version}", "model": "m", "version": version}


def revision(text: str | None, *messages: str) -> Revision:
    return Revision("c0ffee", "2026-11-23T10:00:00+00:00", "ada", messages, text)


def told(*revisions: Revision) -> list[tuple[str, str, bool]]:
    return [(entry.digest, entry.previous, entry.by_hand) for entry in entries(revisions, Target())]


FIRST = promote_text(SEED, bundle("1")).text
SECOND = promote_text(FIRST, bundle("2")).text


def test_a_commit_that_leaves_the_digest_alone_is_no_entry() -> None:
    scaled = FIRST.replace("num_replicas: 1", "num_replicas: 2")
    assert told(revision(SEED), revision(FIRST), revision(scaled), revision(SECOND)) == [
        ("d1", "", True),
        ("d2", "d1", True),
    ]


def test_trailers_are_believed_only_about_their_own_digest() -> None:
    message = promotion_message("local", bundle("1"), {})
    assert told(revision(FIRST, message), revision(SECOND, message)) == [("d1", "", False), ("d2", "d1", True)]


def test_trailers_come_from_whatever_a_merge_brought_in() -> None:
    message = promotion_message("local", bundle("1"), {})
    assert told(revision(FIRST, "Merge branch 'x'", "a fix", message)) == [("d1", "", False)]


def test_going_back_is_an_entry_of_its_own() -> None:
    assert [digest for digest, *_ in told(revision(FIRST), revision(SECOND), revision(FIRST))] == ["d1", "d2", "d1"]


def test_a_file_that_cannot_be_read_is_one_entry_that_says_why() -> None:
    broken = revision("kind: RayService\n", "oops")
    found = entries([revision(FIRST), broken, broken, revision(FIRST), revision(None)], Target("f.yaml"))
    assert [(entry.digest, entry.error) for entry in found] == [
        ("d1", ""),
        ("", "f.yaml:1: must hold spec"),
        ("d1", ""),
        ("", ""),
    ]


def test_an_entry_says_all_that_it_takes_to_go_back() -> None:
    (entry,) = entries([revision(FIRST, "by hand")], Target())
    assert entry == Entry(
        "c0ffee", "2026-11-23T10:00:00+00:00", "ada", "by hand", "d1", "m", "1", "file:///1", by_hand=True
    )


def test_the_order_is_that_of_the_commits_whatever_their_clocks_say(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number, year in ((1, 2030), (2, 2010), (3, 2020)):
        monkeypatch.setenv("GIT_COMMITTER_DATE", f"{year}-01-01T00:00:00Z")
        made = place.register(number)
        promote(place.environment, place.registry, place.model, made.version)
    assert [entry.version for entry in read_history(place.environment)] == ["1", "2", "3"]
    newest = history(place.environment, 2)
    assert [line.split(",")[0].strip() for _, line in newest.lines] == [
        f"{place.model} version 3",
        f"{place.model} version 2",
    ]
    assert newest.version == "3"


def test_a_remote_repository_tells_as_much_as_one_on_this_machine(place: Place) -> None:
    place.register(1)
    promote(place.environment, place.registry, place.model, None)
    remote = replace(place.environment, repository=place.repository.as_uri())
    assert read_history(remote) == read_history(place.environment)


def test_nothing_promoted_is_said_so(place: Place) -> None:
    assert history(place.environment, 5).lines == (("History", "nothing was ever promoted to local"),)


def test_no_message_of_a_commit_is_taken_for_another_commit(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = tmp_path / "gitconfig"
    settings.write_text("[user]\n  name = ada\n  email = a@localhost\n[log]\n  showSignature = true\n")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(settings))
    run_in(tmp_path, "clone", "--quiet", str(place.repository), "theirs")
    file = tmp_path / "theirs" / FILE
    for version in ("1", "2"):
        file.write_text(promote_text(file.read_text(), bundle(version)).text)
        run_in(tmp_path / "theirs", "commit", "--quiet", "-am", f"By hand\x01{'f' * 40}\x01, {version}")
    run_in(tmp_path / "theirs", "push", "--quiet")
    found = read_history(place.environment)
    assert [(entry.digest, entry.version, entry.author) for entry in found] == [("d1", "1", "ada"), ("d2", "2", "ada")]
    assert found[1].subject.endswith(", 2")
