"""What validation says of a table: a value that the page, the last screen and the gate read."""

from dataclasses import dataclass
from typing import Literal

Grade = Literal["invalid", "implausible", "table"]
"""invalid: the row goes to quarantine; implausible: it stays, flagged and scored; table: the whole table is refused."""


@dataclass(frozen=True)
class Rule:
    """One property that data should have, of some columns, or of the table where there are none."""

    name: str
    columns: tuple[str, ...]
    grade: Grade
    sentence: str

    @property
    def column(self) -> str:
        """Its columns in words: "a,b"."""
        return ",".join(self.columns)

    @property
    def label(self) -> str:
        """How a row's ``rules`` name it: ``finite:rms``."""
        return f"{self.name}:{self.column}" if self.columns else self.name


@dataclass(frozen=True)
class Finding:
    """``failing`` of ``rows`` broke the rule (0 of 0 for table rules); ``failed`` when the table is refused for it.

    observed: what was found, in words, where no row can be pointed at; examples: at most three offending values.
    """

    rule: Rule
    rows: int
    failing: int
    examples: tuple[str, ...] = ()
    observed: str = ""
    failed: bool = False

    @property
    def share(self) -> float:
        """Share of the rows that broke it."""
        return self.failing / self.rows if self.rows else 0.0


@dataclass(frozen=True)
class Profile:
    """One feature: missing values and extremes of all rows; a histogram of a seeded sample of the finite ones.

    edges: one more than counts, ascending; both empty where the sample holds no finite value.
    """

    column: str
    missing: int
    lowest: float | None
    highest: float | None
    edges: tuple[float, ...]
    counts: tuple[int, ...]


@dataclass(frozen=True)
class Validation:
    """The verdict on one table. Times are ISO 8601 texts, "" without a time column; one series without one."""

    uri: str
    simulated: bool
    rows: int
    quarantined: int
    implausible: int
    series: int
    first: str
    last: str
    sample_rows: int
    findings: tuple[Finding, ...]
    profiles: tuple[Profile, ...]

    @property
    def failures(self) -> tuple[str, ...]:
        """One sentence a broken table rule; empty when the table may be used."""
        return tuple(sentence(finding) for finding in self.findings if finding.failed)

    @property
    def valid(self) -> int:
        """Rows that may be used."""
        return self.rows - self.quarantined


def sentence(finding: Finding) -> str:
    """The finding in words: column, rule, and what was found instead."""
    rule = finding.rule
    where = f"column {rule.column!r}: " if rule.column else ""
    found = [finding.observed] if finding.observed else []
    if finding.failing:
        found.append(f"{finding.failing:,} of {finding.rows:,} rows break it")
    if finding.examples:
        found.append(f"for example {', '.join(finding.examples)}")
    return f"{where}{rule.sentence}" + (f"; {', '.join(found)}" if found else "")
