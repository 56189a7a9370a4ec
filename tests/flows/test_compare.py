"""`vigia compare`: what can be compared is found by name; what has no card says so."""

from pathlib import Path

import pytest

from evaluation.pages.card.render import write_card
from features.errors import InputError
from flows.adapters.registry import Registry
from flows.steps.compare import compare_cards
from flows.workspace import Workspace
from tests.evaluation.pages.card.cards import BARE, FULL, INCONCLUSIVE


@pytest.fixture(scope="module")
def registry(trained: tuple[Workspace, dict[str, object]]) -> Registry:
    """One with a version whose run has no card."""
    workspace = trained[0]
    found = Registry(workspace.registry_uri, workspace.artifacts)
    with found.run("m", "before-cards", {}) as run_id:
        version = found.register("m", "file:///nowhere", "0" * 64, run_id)
    found.set_alias("m", "challenger", version.version)
    return found


def test_two_folders_make_one_page_and_one_line_a_figure(registry: Registry, tmp_path: Path) -> None:
    write_card(FULL, tmp_path / "one")
    write_card(INCONCLUSIVE, tmp_path / "w" / "runs" / "other")
    found = compare_cards((str(tmp_path / "one"), "other"), "m", registry, Workspace(tmp_path / "w"))
    lines = {heading.strip(): text.split("  ") for heading, text in found.lines}
    assert [text.strip() for text in lines["Compared"] if text] == ["one", "other"]
    assert [text.strip() for text in lines["Verdict"] if text] == ["pass", "inconclusive"]
    assert lines["Episodes detected"][0] == "82.1 % (61.0 % to 93.0 %)"
    page = Path(found.paths["page"])
    assert page.parent.parent == tmp_path / "w" / "runs"
    assert "Two model cards" in page.read_text(encoding="utf-8")


def test_a_figure_that_only_one_has_is_a_dash_of_the_other(registry: Registry, tmp_path: Path) -> None:
    for name, card in (("one", FULL), ("other", BARE)):
        write_card(card, tmp_path / name)
    asked = str(tmp_path / "one"), str(tmp_path / "other")
    found = compare_cards(asked, "m", registry, Workspace(tmp_path / "w"))
    assert {heading.strip(): text.split()[-1] for heading, text in found.lines}["Episodes detected"] == "–"


@pytest.mark.parametrize("asked", ["1", "challenger"])
def test_a_version_without_a_card_is_named(registry: Registry, tmp_path: Path, asked: str) -> None:
    with pytest.raises(InputError, match=r"m version 1 must have a card\.json with its run"):
        compare_cards((asked, asked), "m", registry, Workspace(tmp_path))


@pytest.mark.parametrize(
    ("asked", "rule"), [("champion", "must be a version or an alias of 'm', a run"), ("7", "not found")]
)
def test_what_is_nothing_of_all_that_is_refused(registry: Registry, tmp_path: Path, asked: str, rule: str) -> None:
    with pytest.raises(InputError, match=rule):
        compare_cards((asked, asked), "m", registry, Workspace(tmp_path))
