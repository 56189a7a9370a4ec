"""What the bench of the service prints and writes: the table, the ratios, how far the reference moved."""

from collections.abc import Sequence
from dataclasses import dataclass

from tests.load.wrk import Load
from tests.quality.document import markdown, publish

MLFLOW = "mlflow models serve"
VIGIA = "vigia"


@dataclass(frozen=True)
class Figure:
    """One measured cell; bare_per_s: requests/s of one row that the bare reference answered just before."""

    name: str
    rows: int
    connections: int
    binary: bool
    load: Load
    bare_per_s: float

    def line(self) -> str:
        """For the screen."""
        load, kind = self.load, "float32" if self.binary else "JSON"
        return (
            f"{self.name:32} {self.rows:5} rows {self.connections:3} connections {kind:7} {load.per_s:8,.0f}/s "
            f"P50 {load.p50_ms:7.1f} P99 {load.p99_ms:7.1f} ms CPU {load.cpu_ms:6.2f} ms "
            f"refused {load.refused} broken {load.broken}, reference {self.bare_per_s:,.0f}/s"
        )

    def cells(self) -> list[str]:
        """For the document."""
        load = self.load
        figures = [f"{load.per_s:,.0f}", f"{load.p50_ms:.1f}", f"{load.p99_ms:.1f}", f"{load.cpu_ms:.2f}"]
        return [self.name, f"{self.rows:,}", "float32" if self.binary else "JSON", str(self.connections), *figures]


@dataclass(frozen=True)
class Goal:
    """A ratio over mlflow: of which variant, in which cell."""

    rows: int
    name: str
    binary: bool = False
    cpu: bool = False


GOALS = (
    Goal(1, VIGIA),
    Goal(1, VIGIA, cpu=True),
    Goal(1, "vigia, all metrics and logs"),
    Goal(1, "vigia, all metrics and logs", cpu=True),
    Goal(64, VIGIA),
    Goal(1_000, VIGIA),
    Goal(1_000, "vigia, 2 replicas"),
    Goal(1_000, VIGIA, binary=True),
    Goal(1_000, "vigia, 2 replicas", binary=True),
)


def ratio_lines(figures: Sequence[Figure]) -> list[str]:
    """``ratio <figure> <what>``, at 16 connections, one-row requests/s first; only where both sides were measured."""
    lines = []
    for goal in GOALS:
        theirs = _find(figures, MLFLOW, goal.rows, False)
        ours = _find(figures, goal.name, goal.rows, goal.binary)
        if not theirs or not ours:
            continue
        ratio = theirs.load.cpu_ms / ours.load.cpu_ms if goal.cpu else ours.load.per_s / theirs.load.per_s
        what = "requests per CPU second" if goal.cpu else "requests/s"
        rows = "1 row" if goal.rows == 1 else f"{goal.rows:,} rows"
        lines.append(f"ratio {ratio:.1f} {goal.name} over {MLFLOW}, {what}, {rows}{', float32' if goal.binary else ''}")
    return lines


def publish_figures(figures: Sequence[Figure], lines: Sequence[str], *, write: bool) -> None:
    """Print the ratios and lines; with ``write`` replace the tables of docs/speed.md as well."""
    bare = [figure.bare_per_s for figure in figures]
    moved = f"reference between {min(bare):,.0f} and {max(bare):,.0f} requests/s while the others were measured"
    summary = [*ratio_lines(figures), *lines, moved]
    print("\n".join(summary))
    if write:
        head = ["service", "rows", "body", "connections", "requests/s", "P50 ms", "P99 ms", "CPU ms a request"]
        table = markdown(head, [figure.cells() for figure in figures])
        publish({"serve": table, "serve-ratios": "\n".join(f"- {line}" for line in summary)}, write=True, to="speed.md")


def _find(figures: Sequence[Figure], name: str, rows: int, binary: bool) -> Figure | None:
    cell = (name, rows, 16, binary)
    return next((f for f in figures if (f.name, f.rows, f.connections, f.binary) == cell), None)
