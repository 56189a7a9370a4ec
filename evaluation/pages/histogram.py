"""The geometry of a small histogram: bars in a fixed box, and the one SVG path that draws them."""

from dataclasses import dataclass
from itertools import pairwise

WIDTH = 200.0
HEIGHT = 48.0
_LEAST = 1.0  # a bin that holds one value of ten thousand must not look empty
_GAP = 0.12  # of a bar's width


@dataclass(frozen=True)
class Bar:
    """One bin: left end and width in [0, WIDTH], height in [0, HEIGHT]; it stands on the lower side of the box."""

    x: float
    width: float
    height: float


def bars(edges: tuple[float, ...], counts: tuple[int, ...]) -> tuple[Bar, ...]:
    """One bar a bin; areas are proportional to counts, but a bin that is not empty is never lower than one unit.

    Bins that a float cannot tell apart are drawn equally wide.
    """
    if not any(counts):
        return ()
    ends = _positions(edges)
    widths = [right - left for left, right in pairwise(ends)]
    density = [n / width for n, width in zip(counts, widths, strict=True)]
    scale = HEIGHT / max(density)
    heights = [max(_LEAST, d * scale) if d else 0.0 for d in density]
    return tuple(Bar(x, width, height) for x, width, height in zip(ends[:-1], widths, heights, strict=True))


def path(drawn: tuple[Bar, ...]) -> str:
    """The ``d`` of an SVG path that fills the bars, with a small gap between them."""
    return "".join(_rectangle(bar) for bar in drawn if bar.height)


def fullest(edges: tuple[float, ...], counts: tuple[int, ...]) -> tuple[float, float]:
    """The ends of the first bin with the largest count."""
    at = counts.index(max(counts))
    return edges[at], edges[at + 1]


def _rectangle(bar: Bar) -> str:
    left, width = bar.x + bar.width * _GAP / 2, bar.width * (1 - _GAP)
    return f"M{left:.1f} {HEIGHT:.0f}v-{bar.height:.1f}h{width:.1f}v{bar.height:.1f}z"


def _positions(edges: tuple[float, ...]) -> list[float]:
    """Edges on [0, WIDTH]; divided first, since the distance of the largest floats is not one."""
    largest = max(abs(edge) for edge in edges) or 1.0
    scaled = [edge / largest for edge in edges]
    if any(right - left <= 0 for left, right in pairwise(scaled)):
        return [WIDTH * i / (len(edges) - 1) for i in range(len(edges))]
    return [WIDTH * (edge - scaled[0]) / (scaled[-1] - scaled[0]) for edge in scaled]
