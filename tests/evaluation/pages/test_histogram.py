"""A small histogram: areas follow the counts, nothing that was counted looks empty, any float may be an edge."""

import pytest

from evaluation.pages.histogram import HEIGHT, WIDTH, bars, fullest, path


def test_bars_of_equal_bins_are_as_high_as_their_counts() -> None:
    drawn = bars((0.0, 1.0, 2.0, 3.0, 4.0), (5, 10, 0, 20))
    assert [bar.height for bar in drawn] == pytest.approx([HEIGHT / 4, HEIGHT / 2, 0, HEIGHT])
    assert [bar.x for bar in drawn] == pytest.approx([0, 50, 100, 150])
    assert [bar.width for bar in drawn] == pytest.approx([WIDTH / 4] * 4)


def test_a_bin_twice_as_wide_is_half_as_high() -> None:
    narrow, wide = bars((0.0, 1.0, 3.0), (10, 10))
    assert (wide.width, wide.height) == pytest.approx((2 * narrow.width, narrow.height / 2))


def test_one_value_of_a_million_is_still_seen() -> None:
    _, nothing, rare = bars((0.0, 1.0, 2.0, 3.0), (1_000_000, 0, 1))
    assert nothing.height == 0
    assert rare.height == 1


@pytest.mark.parametrize(("edges", "counts"), [((), ()), ((0.0, 1.0), (0,))])
def test_nothing_counted_draws_nothing(edges: tuple[float, ...], counts: tuple[int, ...]) -> None:
    assert bars(edges, counts) == ()
    assert path(()) == ""


@pytest.mark.parametrize(
    "edges",
    [
        (-1.7e308, 0.0, 1.7e308),
        (0.0, 5e-324, 1e-323),
        (1e16, 1e16, 1e16),
        (0.0, 0.0, 0.0),
        (-2.0, -1.0, 0.0),
    ],
)
def test_bars_stay_in_the_box_for_any_edges(edges: tuple[float, ...]) -> None:
    drawn = bars(edges, (3, 1))
    assert drawn[0].x == 0
    assert drawn[-1].x + drawn[-1].width == pytest.approx(WIDTH)
    assert [bar.height for bar in drawn] == pytest.approx([HEIGHT, HEIGHT / 3])


def test_the_path_has_one_closed_shape_for_each_bar_that_is_not_empty() -> None:
    drawn = path(bars((0.0, 1.0, 2.0, 3.0), (1, 0, 2)))
    assert drawn.count("M") == drawn.count("z") == 2
    assert drawn.startswith("M4.0 48v-24.0h58.7v24.0z")


def test_the_fullest_bin_is_the_first_of_the_largest() -> None:
    assert fullest((0.0, 1.0, 2.0, 3.0), (1, 7, 7)) == (1.0, 2.0)
