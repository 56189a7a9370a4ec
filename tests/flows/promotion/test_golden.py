"""Each folder of testdata is one manifest before and after a promotion; its name says what it shows."""

import shutil
from pathlib import Path

import pytest
import yaml

from flows.adapters.kustomize import build_overlay
from flows.promotion.edit import Target, promote_text, read_leaves, serve_config

NEXT = {"uri": "s3://bundles/sha256/bb22", "digest": "bb22", "model": "anomaly-detector", "version": "12"}
TESTDATA = Path(__file__).parent / "testdata"
TARGETS = {"several-rayservices": Target(service="green")}
CASES = sorted(folder.name for folder in TESTDATA.iterdir() if folder.is_dir())


def texts(case: str) -> tuple[str, str]:
    return tuple((TESTDATA / case / f"{name}.yaml").read_bytes().decode() for name in ("before", "after"))


@pytest.mark.parametrize("case", CASES)
def test_before_becomes_after_byte_for_byte(case: str) -> None:
    before, after = texts(case)
    assert promote_text(before, NEXT, TARGETS.get(case, Target())).text == after


@pytest.mark.parametrize("case", CASES)
def test_the_changes_are_what_a_reader_finds(case: str) -> None:
    target = TARGETS.get(case, Target())
    before, after = texts(case)
    old, new = read_leaves(before, target), read_leaves(after, target)
    changes = {tuple(one.path.split(".")): (one.old, one.new) for one in promote_text(before, NEXT, target).changes}
    assert {path: new[path] for path in changes} == {path: value for path, (_, value) in changes.items()}
    assert {path: old.get(path) for path in changes} == {path: value for path, (value, _) in changes.items()}
    assert all(old.get(path) == value for path, value in new.items() if path not in changes)
    assert {key: new[("bundle", key)] for key in NEXT} == NEXT
    if old.get(("bundle", "digest")):
        assert {key: new[("previous", key)] for key in NEXT} == {key: old.get(("bundle", key), "") for key in NEXT}


@pytest.mark.parametrize("case", CASES)
def test_every_parser_on_the_way_reads_strings(case: str) -> None:
    target = TARGETS.get(case, Target())
    after = texts(case)[1]
    for application in serve_config(after, target)["applications"]:
        for deployment in application["deployments"]:
            if (application["name"], deployment["name"]) == (target.application, target.deployment):
                assert all(type(deployment["user_config"]["bundle"][key]) is str for key in NEXT)
    assert list(yaml.safe_load_all(after))


@pytest.mark.slow
@pytest.mark.skipif(not (shutil.which("kubectl") or shutil.which("kustomize")), reason="needs kustomize")
@pytest.mark.parametrize("case", CASES)
def test_kubernetes_own_parser_reads_the_same(case: str, tmp_path: Path) -> None:
    target = TARGETS.get(case, Target())
    after = texts(case)[1]
    (tmp_path / "after.yaml").write_bytes(after.encode())
    (tmp_path / "kustomization.yaml").write_text("resources: [after.yaml]\n")
    built = build_overlay(tmp_path)
    assert built is not None
    assert read_leaves(built, target) == read_leaves(after, target)


@pytest.mark.parametrize("case", CASES)
def test_a_second_promotion_of_the_same_changes_nothing(case: str) -> None:
    after = texts(case)[1]
    edit = promote_text(after, NEXT, TARGETS.get(case, Target()))
    assert (edit.text, edit.changes) == (after, ())


def test_lines_other_than_those_of_values_are_the_same_when_nothing_is_missing() -> None:
    before, after = texts("comments-everywhere")
    pairs = zip(before.splitlines(), after.splitlines(), strict=True)
    changed = [(a, b) for a, b in pairs if a != b]
    assert len(changed) == 7
    assert all(a.split(":")[0] == b.split(":")[0] and a.partition(" #")[2] == b.partition(" #")[2] for a, b in changed)
