"""The validation page: verdict first, every finding once, nothing of the data as markup, nothing from the network."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from evaluation.pages.validation import passed_rules, render_validation, worst_first, write_validation_page
from evaluation.validation.verdict import Finding, Grade, Profile, Rule, Validation
from tests.evaluation.pages.chromium import Browser
from tests.evaluation.pages.markup import HOSTILE, Page, references
from tests.evaluation.pages.shown import MEASURE, Figures

ROWS = 259_200
SPARE = Profile("rms", 201, 0.02, 61.2, (0.0, 1.0, 2.0), (9_000, 1_000))


def finding(name: str, column: str, grade: Grade, failing: int = 0, *examples: str, failed: bool = False) -> Finding:
    return Finding(Rule(name, (column,), grade, f"must be {name}"), ROWS, failing, examples, failed=failed)


USABLE = Validation(
    uri="file:///fleet/rows.parquet",
    simulated=True,
    rows=ROWS,
    quarantined=289,
    implausible=1_024,
    series=90,
    first="2026-01-01T00:00:00",
    last="2026-01-30T23:45:00",
    sample_rows=10_000,
    findings=(
        finding("between 0 and 50", "rms", "implausible", 1_024, "61.2"),
        finding("finite", "rms", "invalid", 12, "inf", "-inf"),
        finding("present", "rms", "invalid", 277),
        finding("present", "peak", "invalid"),
        finding("finite", "peak", "invalid"),
        Finding(Rule("min_rows", (), "table", "at least 1,000 valid rows"), 0, 0, observed="258,911 rows"),
    ),
    profiles=(SPARE, replace(SPARE, column="peak", missing=0), Profile("silent", ROWS, None, None, (), ())),
)
REFUSED = replace(
    USABLE,
    simulated=False,
    findings=(
        *USABLE.findings,
        Finding(Rule("columns", ("label",), "table", "must be in the table"), 0, 0, observed="it is not", failed=True),
        finding("a number", "peak", "invalid", 200_000, "n/a", failed=True),
    ),
)
FOREIGN = replace(
    REFUSED,
    uri=HOSTILE[1],
    findings=tuple(
        Finding(Rule("text", (text,), "table", text), ROWS, 3, (text, "\u202egnp\n\ud800", "x" * 5_000), text, True)
        for text in HOSTILE
    ),
    profiles=tuple(replace(SPARE, column=text) for text in HOSTILE),
)
WIDE = replace(
    USABLE,
    findings=tuple(finding("finite", f"band_{i}", "invalid", i // 190) for i in range(200)),
    profiles=tuple(replace(SPARE, column=f"band_{i}") for i in range(200)),
)
CASES = {"usable": USABLE, "refused": REFUSED, "foreign": FOREIGN, "wide": WIDE}


def test_the_first_line_says_how_many_rows_are_usable() -> None:
    page = Page(render_validation(USABLE))
    assert page.text("h1") == "Usable: 258,911 of 259,200 rows; 289 quarantined, 1,024 flagged implausible"
    assert "SIMULATED" in page.text("header")
    assert "file:///fleet/rows.parquet" in page.text("header")
    assert "2026-01-01T00:00:00 … 2026-01-30T23:45:00" in page.text("header")


def test_a_refused_table_says_so_first_with_every_reason() -> None:
    page = Page(render_validation(REFUSED))
    assert page.text("h1") == "Refused: no row of this table is used, for 2 reasons"
    assert "SIMULATED" not in page.text()
    for reason in REFUSED.failures:
        assert reason in page.text("header", "li")


def test_many_reasons_are_folded_but_all_there() -> None:
    failed = tuple(finding("a number", f"c{i}", "table", 1, failed=True) for i in range(30))
    page = Page(render_validation(replace(USABLE, findings=failed)))
    assert "22 more reasons" in page.text("header", "summary")
    assert page.text("header", "li").count("column 'c") == 30


def test_findings_are_listed_failed_first_then_invalid_before_implausible_by_share() -> None:
    assert [f.rule.label for f in worst_first(REFUSED.findings)] == [
        "columns:label",
        "a number:peak",
        "present:rms",
        "finite:rms",
        "between 0 and 50:rms",
    ]


def test_passed_findings_of_one_rule_share_a_row() -> None:
    groups = passed_rules(WIDE.findings)
    assert [(group.rule.name, len(group.columns)) for group in groups] == [("finite", 190)]


@pytest.mark.parametrize("validation", [USABLE, REFUSED, WIDE], ids=["usable", "refused", "wide"])
def test_every_finding_is_in_the_tables_once(validation: Validation) -> None:
    rows = Page(render_validation(validation)).rows()
    for one in validation.findings:
        column = re.escape(one.rule.column or "whole table")
        rule = rf"{re.escape(one.rule.sentence)} {re.escape(one.rule.name)} (?:.*[ ,])?{column}(?![\w])"
        assert len([row for row in rows if re.search(rule, row)]) == 1, one


def test_a_row_has_grade_rule_column_count_share_and_examples() -> None:
    rows = Page(render_validation(REFUSED)).rows()
    assert rows[0] == "refused must be in the table columns label – – it is not"
    assert rows[1] == "refused invalid must be a number a number peak 200,000 77.2 % n/a"
    assert rows[3] == "invalid must be finite finite rms 12 <0.01 % inf -inf"


def test_a_feature_has_missing_extremes_and_a_histogram_where_there_is_one() -> None:
    page = Page(render_validation(USABLE))
    assert page.text("svg", "title").startswith("Histogram of rms, most often between 0 and 1")
    assert [tag for tag, _ in page.elements].count("path") == 2
    assert "lowest 0.02 highest 61.2 missing 201" in page.text("section", "li")
    assert "no finite value in the sample lowest – highest – missing 259,200" in page.text("section", "li")
    assert page.text("section").count("10,000") == 1


@pytest.mark.parametrize("text", HOSTILE)
def test_text_of_the_data_is_shown_and_never_markup(text: str) -> None:
    page = Page(render_validation(FOREIGN))
    assert text in page.text("h3")
    assert text in page.text("tbody", "th")
    assert text in page.text("header", "li")
    assert not {"script", "img"} & {tag for tag, _ in page.elements}


def test_hidden_characters_are_seen_and_long_values_cut_with_a_title() -> None:
    page = Page(render_validation(FOREIGN))
    assert r"\u202egnp\n\ud800" in page.text("tbody", "li")
    assert "x" * 100 not in page.text("tbody")
    assert any(one.get("title", "").startswith("x" * 900) for _, one in page.elements)


@pytest.mark.parametrize("validation", CASES.values(), ids=CASES)
def test_nothing_refers_outside_the_page(validation: Validation) -> None:
    assert references(Page(render_validation(validation))) == []


def test_tables_say_what_their_cells_are() -> None:
    page = Page(render_validation(USABLE))
    tags = [tag for tag, _ in page.elements]
    assert tags.count("caption") == tags.count("table") == 2
    assert all(attributes.get("scope") in ("row", "col") for tag, attributes in page.elements if tag == "th")


def test_a_table_without_rows_series_times_or_features_has_a_page() -> None:
    empty = Validation("empty.csv", False, 0, 0, 0, 0, "", "", 0, (), ())
    page = Page(render_validation(empty))
    assert page.text("h1").startswith("Usable: 0 of 0 rows")
    assert "Time" not in page.text("header")
    assert "feature" not in page.text()


def test_the_page_of_a_wide_table_is_small(tmp_path: Path) -> None:
    page = tmp_path / "new" / "validation.html"
    bins = tuple(float(i) for i in range(31))
    fifty = tuple(Profile(f"band_{i}", 0, 0.0, 30.0, bins, tuple(range(30))) for i in range(50))
    write_validation_page(replace(WIDE, profiles=fifty), page)
    assert page.stat().st_size < 150_000
    assert [path.name for path in page.parent.iterdir()] == ["validation.html"]


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (1280, "dark"), (900, "light"), (400, "dark")])
@pytest.mark.parametrize("case", CASES)
def test_a_browser_shows_it_offline_readable_and_in_its_width(
    browser: Browser, tmp_path: Path, case: str, width: int, scheme: str
) -> None:
    page = tmp_path / "validation.html"
    write_validation_page(CASES[case], page)
    visit = browser.visit(page, width=width, scheme=scheme, script=MEASURE)
    (tmp_path / f"{case}-{width}-{scheme}.png").write_bytes(visit.png)
    shown = Figures(**visit.evaluated)
    assert visit.requests == (page.as_uri(),)
    assert visit.messages == ()
    assert shown.width <= width
    assert shown.contrast >= 4.5, shown.where
    assert visit.png.startswith(b"\x89PNG")


def test_the_watch_sees_a_request_and_an_error_where_there_is_one(browser: Browser, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_text('<!doctype html><img src="http://elsewhere.example/x.png"><script>nothing.there</script>')
    visit = browser.visit(page)
    assert "http://elsewhere.example/x.png" in visit.requests
    assert any("ReferenceError" in message for message in visit.messages)
    assert any("ERR_" in message for message in visit.messages)
