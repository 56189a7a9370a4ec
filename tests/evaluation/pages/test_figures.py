"""Numbers and foreign text as pages write them."""

import pytest

from evaluation.pages.figures import clip, count, figure, share, visible


def test_counts_have_thousands_separators() -> None:
    assert count(259_200) == "259,200"


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (0.0, "0 %"),
        (1e-9, "<0.01 %"),
        (0.0039, "0.39 %"),
        (0.099949, "9.99 %"),
        (0.099951, "10.0 %"),
        (0.5, "50.0 %"),
        (0.9999999, ">99.9 %"),
        (1.0, "100 %"),
    ],
)
def test_a_share_is_never_rounded_to_none_or_all(value: float, written: str) -> None:
    assert share(value) == written


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (None, "–"),
        (0.0, "0"),
        (3.0, "3"),
        (-0.0712345, "-0.07123"),
        (999.96, "1,000"),
        (14_800.4, "14,800"),
        (1.7e308, "1.7e308"),
        (-2.5e-7, "-2.5e-7"),
        (float("inf"), "inf"),
    ],
)
def test_a_figure_has_four_digits_or_all_its_whole_ones(value: float | None, written: str) -> None:
    assert figure(value) == written


def test_characters_without_a_glyph_become_their_escapes() -> None:
    assert visible("a\nb\x00\u202egnp\xa0\ud800") == r"a\nb\x00\u202egnp\xa0\ud800"
    assert visible("שלום 温度 ℃ 🔧 <b>") == "שלום 温度 ℃ 🔧 <b>"


def test_a_clipped_text_ends_with_an_ellipsis_and_has_the_length_asked_for() -> None:
    assert clip("abcdef", 6) == "abcdef"
    assert clip("abcdefg", 6) == "abcde…"
