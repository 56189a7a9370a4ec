"""The validation page: one offline HTML on which an engineer sees what a table is worth and why."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from evaluation.pages.templates import template
from evaluation.validation.verdict import Finding, Rule, Validation
from features.storage import write_text

_GRADES = ("table", "invalid", "implausible")


@dataclass(frozen=True)
class Passed:
    """One rule that several columns keep, in the order of the findings."""

    rule: Rule
    observed: str
    columns: tuple[str, ...]


def write_validation_page(validation: Validation, page: Path) -> None:
    """Write the page: verdict, findings (worst first, the passed ones folded), one profile a feature.

    It has no script, asks for nothing over the network (its content security policy says so too) and escapes every
    text that came with the data.
    """
    write_text(page, render_validation(validation))


def render_validation(validation: Validation) -> str:
    """The page as text."""
    open_findings = worst_first(validation.findings)
    grades: dict[str, str] = {}
    for finding in open_findings:
        grades.setdefault(finding.rule.column, "refused" if finding.failed else finding.rule.grade)
    return template("validation.html.j2").render(
        validation=validation,
        findings=open_findings,
        passed=passed_rules(validation.findings),
        passed_count=len(validation.findings) - len(open_findings),
        grades=grades,
        anchors={profile.column: f"f{i}" for i, profile in enumerate(validation.profiles)},
    )


def worst_first(findings: Iterable[Finding]) -> list[Finding]:
    """Findings that failed or have failing rows: failed ones, then invalid before implausible, largest share first."""
    broken = [finding for finding in findings if finding.failed or finding.failing]
    return sorted(broken, key=lambda f: (not f.failed, _GRADES.index(f.rule.grade), -f.share))


def passed_rules(findings: Iterable[Finding]) -> list[Passed]:
    """The other findings, those of the same rule joined, so that a wide table has a short list."""
    groups: dict[tuple[str, str, str, str], list[Finding]] = {}
    for finding in findings:
        if not (finding.failed or finding.failing):
            rule = finding.rule
            groups.setdefault((rule.name, rule.grade, rule.sentence, finding.observed), []).append(finding)
    return [Passed(same[0].rule, same[0].observed, tuple(f.rule.column for f in same)) for same in groups.values()]
