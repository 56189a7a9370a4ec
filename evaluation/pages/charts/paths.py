"""SVG paths in a box of 100 by 100, from points whose y goes upwards."""

from collections.abc import Iterable, Sequence

Point = tuple[float, float]


def line(points: Sequence[Point | None]) -> str:
    """A line through the points, broken where there is none; a point without neighbours is drawn as a dot."""
    parts: list[str] = []
    run: list[Point] = []
    for point in [*points, None]:
        if point is not None:
            run.append(point)
        elif run:
            rest = "".join(f"L{_at(p)}" for p in run[1:]) or "h0"
            parts.append(f"M{_at(run[0])}{rest}")
            run = []
    return "".join(parts)


def dots(points: Iterable[Point]) -> str:
    """A line of no length at each point, which round ends make a dot of any stroke width."""
    return "".join(f"M{_at(point)}h0" for point in points)


def rectangles(boxes: Iterable[tuple[float, float, float, float]]) -> str:
    """Filled boxes (left, right, bottom, top)."""
    return "".join(
        f"M{_number(left)} {_number(100 - bottom)}H{_number(right)}V{_number(100 - top)}H{_number(left)}z"
        for left, right, bottom, top in boxes
    )


def vertical(x: float) -> str:
    """From bottom to top."""
    return f"M{_number(x)} 100V0"


def horizontal(y: float) -> str:
    """From left to right."""
    return f"M0 {_number(100 - y)}H100"


def _at(point: Point) -> str:
    return f"{_number(point[0])} {_number(100 - point[1])}"


def _number(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")
