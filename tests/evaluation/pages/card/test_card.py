"""The model card: a function of its JSON, verdict first, every chart also in words, nothing of the data as markup."""

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from evaluation.pages.card.comparison import Named, render_comparison
from evaluation.pages.card.files import read_json
from evaluation.pages.card.model import Card, SeriesCount
from evaluation.pages.card.render import render_card, write_card
from features.errors import InputError
from tests.evaluation.pages.card.cards import BARE, CASES, EPISODE, FOREIGN, FULL, INCONCLUSIVE, REFUSED
from tests.evaluation.pages.chromium import Browser
from tests.evaluation.pages.markup import HOSTILE, Page, references
from tests.evaluation.pages.shown import MEASURE, Figures


@pytest.mark.parametrize("card", CASES.values(), ids=CASES)
def test_the_page_is_a_function_of_the_json_beside_it(card: Card, tmp_path: Path) -> None:
    page = write_card(card, tmp_path)
    read = read_json(tmp_path / "card.json")
    assert read == card
    assert page.read_text(encoding="utf-8") == render_card(read)


def test_a_figure_changed_in_the_json_is_another_one_on_the_page(tmp_path: Path) -> None:
    write_card(FULL, tmp_path)
    values = json.loads((tmp_path / "card.json").read_text())
    values["figures"][4]["value"] = 0.1234
    (tmp_path / "card.json").write_text(json.dumps(values))
    page = Page(render_card(read_json(tmp_path / "card.json")))
    assert "0.123" in page.text("dl")
    assert "0.833" not in page.text()


@pytest.mark.parametrize(
    ("content", "rule"),
    [
        (None, "cannot be read"),
        ("{", "is not a card"),
        ('{"format": 2}', "format: must be 1, got 2"),
        ('{"format": 1}', "is not a card"),
    ],
)
def test_what_is_not_a_card_is_named(tmp_path: Path, content: str | None, rule: str) -> None:
    file = tmp_path / "card.json"
    if content is not None:
        file.write_text(content)
    with pytest.raises(InputError, match=rule):
        read_json(file)


@pytest.mark.parametrize(
    ("card", "headline"),
    [
        (FULL, "Passed: all 3 rules of the gate; registered as challenger"),
        (INCONCLUSIVE, "Inconclusive: 1 of 3 rules cannot be settled; registered as challenger"),
        (REFUSED, "Refused: by the gate: 2 of 3 rules object; it gets no alias"),
    ],
)
def test_the_verdict_comes_first_with_the_rules_that_object(card: Card, headline: str) -> None:
    page = Page(render_card(card))
    assert page.text("h1") == headline
    assert next(tag for tag, _ in page.elements if tag in ("h1", "h2")) == "h1"
    for reason in card.decision.objections:
        assert reason.sentence in page.text("header", "li")


def test_a_simulated_fleet_is_called_so_and_no_other_table_is() -> None:
    assert "SIMULATED" in Page(render_card(FULL)).text("header")
    assert "SIMULATED" not in Page(render_card(BARE)).text()


def test_every_figure_stands_with_its_interval_or_the_reason_why_there_is_none() -> None:
    rows = Page(render_card(FULL)).rows()
    how = "95 %, cluster bootstrap by groups, 1,000 replicates, 12 clusters"
    assert f"Episodes detected82.1 %61.0 % to 93.0 %{how}" in rows
    assert "False onsets a series and day0.008interval not available" in rows
    assert "AUROC–no row has a label" in rows


def test_a_detected_episode_tells_its_delay_and_what_drove_its_highest_alert() -> None:
    page = Page(render_card(replace(FULL, timelines=(EPISODE,))))
    assert page.text("h3") == "detected sensor_00016_r, looseness"
    assert "first alert after 30 min" in page.text("li", "p")
    drivers = [row for row in page.rows() if "↑" in row or "↓" in row]
    assert drivers[0].endswith("kurtosis ↑66 %")
    assert drivers[1] == "high_band_energy_ratio ↓17 %"


def test_a_line_of_scores_is_broken_where_there_is_no_row() -> None:
    page = Page(render_card(replace(FULL, timelines=(EPISODE,))))
    drawn = next(a["d"] for tag, a in page.elements if tag == "path" and a["class"] == "scores")
    assert drawn.count("M") == 2


@pytest.mark.parametrize("card", CASES.values(), ids=CASES)
def test_every_chart_has_a_title_a_description_and_a_table(card: Card) -> None:
    text = render_card(card)
    pictures = re.findall(r"<svg[^>]*>(.*?)</svg>", text, re.S)
    assert pictures
    for picture in pictures:
        assert re.search(r"<title>[^<]{5,}</title><desc>[^<]{10,}</desc>", picture)
    after = re.split(r"</svg>", text)[1:]
    assert all("<table" in rest for rest in after)


def test_what_could_not_be_measured_is_left_out_with_its_reason() -> None:
    page = Page(render_card(BARE))
    for reason in BARE.absent.values():
        assert reason in page.text("section")
    assert "None" not in page.text()
    assert "nan" not in page.text()


@pytest.mark.parametrize("text", HOSTILE)
def test_text_of_the_data_is_shown_and_never_markup(text: str) -> None:
    page = Page(render_card(FOREIGN))
    assert text in page.text("h3")
    assert text in page.text("section", "th")
    assert not {"script", "img"} & {tag for tag, _ in page.elements}


@pytest.mark.parametrize("card", CASES.values(), ids=CASES)
def test_nothing_refers_outside_the_page(card: Card) -> None:
    assert references(Page(render_card(card))) == []


def test_two_cards_stand_side_by_side_in_the_same_sections() -> None:
    page = Page(render_comparison(Named("version 1", FULL), Named("version 2", REFUSED)))
    one = Page(render_card(FULL))
    own, both = ({text for path, text in found.texts if path[-1:] == ("h2",)} for found in (one, page))
    assert both == {"Verdict", *own}
    assert "Passed" in page.text("header")
    assert "Refused" in page.text("header")
    assert "Episodes detected82.1 %61.0 % to 93.0 %82.1 %61.0 % to 93.0 %" in page.rows()
    assert references(page) == []


def test_cards_of_other_rows_say_that_their_figures_are_not_of_the_same() -> None:
    other = replace(FULL, identity=replace(FULL.identity, lineage={"data_fingerprint": "cd" * 32}))
    assert "judged on other rows" in render_comparison(Named("a", FULL), Named("b", other))
    assert "the same test window" in render_comparison(Named("a", FULL), Named("b", FULL))


def test_the_page_stays_small_with_as_much_as_a_card_can_hold() -> None:
    points = tuple(float(k) for k in range(120))
    crowded = replace(EPISODE, scores=points, alerts=tuple(range(0, 120, 2)), series="s" * 200)
    trials = tuple(replace(FULL.search.trials[0], number=k) for k in range(1_000))
    card = replace(
        FULL,
        timelines=(crowded,) * 15,
        search=replace(FULL.search, trials=trials),
        by_series=replace(FULL.by_series, top=tuple(SeriesCount(f"sensor_{k}", 9) for k in range(20))),
    )
    assert len(render_card(card).encode()) < 500_000


def test_of_many_features_the_first_are_shown_and_the_others_counted() -> None:
    moved = FULL.drift.features[0]
    drifted = tuple(replace(moved, feature=f"tag_{k}", shift=0.01 * (200 - k), outcome="ok") for k in range(200))
    late = replace(moved, feature="spread_alone", shift=0.0, outcome="watch")
    drivers = tuple(replace(FULL.drivers[0], feature=f"tag_{k}", share=0.005) for k in range(200))
    page = render_card(replace(FULL, drivers=drivers, drift=replace(FULL.drift, features=(*drifted, late))))
    assert "tag_18" in page
    assert "spread_alone" in page, "what is beyond a limit comes first"
    assert "tag_20<" not in page
    assert "180 further features: 90.0 %." in page
    assert "181 further features: shifts of at most 1.81." in page
    assert "further features" not in render_card(FULL)


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
@pytest.mark.parametrize("case", CASES)
def test_a_browser_shows_it_offline_readable_and_in_its_width(
    browser: Browser, tmp_path: Path, case: str, width: int, scheme: str
) -> None:
    page = write_card(CASES[case], tmp_path)
    visit = browser.visit(page, width=width, scheme=scheme, script=MEASURE)
    shown = Figures(**visit.evaluated)
    assert visit.requests == (page.as_uri(),)
    assert visit.messages == ()
    assert shown.width <= width
    assert shown.contrast >= 4.5, shown.where


@pytest.mark.parametrize(("width", "scheme"), [(1280, "dark"), (390, "light")])
def test_a_browser_shows_two_beside_each_other(browser: Browser, tmp_path: Path, width: int, scheme: str) -> None:
    page = tmp_path / "compare.html"
    page.write_text(render_comparison(Named("version 1", FULL), Named("x" * 120, FOREIGN)), encoding="utf-8")
    visit = browser.visit(page, width=width, scheme=scheme, script=MEASURE)
    shown = Figures(**visit.evaluated)
    assert (visit.requests, visit.messages) == ((page.as_uri(),), ())
    assert shown.width <= width
    assert shown.contrast >= 4.5, shown.where


def test_it_prints_on_paper(browser: Browser, tmp_path: Path) -> None:
    printed = browser.print_pdf(write_card(FULL, tmp_path))
    assert printed.startswith(b"%PDF")
    assert 2 <= printed.count(b"/Type /Page\n") <= 9
