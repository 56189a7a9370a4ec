"""`vigia validate`: the verdict on a table, a page for people, and the invalid rows set aside."""

from dataclasses import asdict
from typing import Any

from evaluation.validation.verdict import Validation
from flows.config.train import TrainConfig
from flows.exit_codes import ExitCode
from flows.outcome import Outcome, Progress
from flows.steps.table import check
from flows.workspace import Workspace


def validate_table(config: TrainConfig, workspace: Workspace, progress: Progress) -> Outcome:
    """Judge ``data.uri``. Done when rows were only quarantined, INPUT when the table is refused."""
    folder = workspace.new_run("validate")
    with progress.stage("Reading and validating") as stage:
        table = check(config, folder, workspace.cache)
        stage.result(f"{table.validation.rows:,} rows")
    found = table.validation
    origin = "SIMULATED fleet, no machine produced these rows: " if found.simulated else ""
    lines = [("Data", f"{origin}{found.rows:,} rows, {found.series:,} series"), ("Rows", verdict(found))]
    lines += [("Refused", sentence) for sentence in found.failures]
    paths = {"page": str(table.page)} | ({"quarantine": str(table.quarantine)} if table.quarantine else {})
    return Outcome(
        lines=tuple(lines),
        next_command="" if found.failures else "train",
        figures=figures(found),
        paths=paths,
        exit_code=ExitCode.INPUT if found.failures else ExitCode.DONE,
    )


def verdict(found: Validation) -> str:
    """One line: what may be used and what was set aside or flagged."""
    return (
        f"{found.valid:,} of {found.rows:,} may be used; {found.quarantined:,} quarantined, "
        f"{found.implausible:,} flagged as implausible"
    )


def figures(found: Validation) -> dict[str, Any]:
    """For ``--summary``: everything but the histograms."""
    values = asdict(found) | {"failures": list(found.failures)}
    del values["profiles"]
    return values
