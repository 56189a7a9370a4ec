"""`vigia history`: what an environment served when, as git tells it."""

from dataclasses import asdict

from flows.adapters.clone import Clone, cloned
from flows.adapters.git_history import file_history
from flows.environments import Environment
from flows.outcome import Outcome
from flows.promotion.history import Entry, entries
from flows.steps.head import target


def read_history(environment: Environment) -> tuple[Entry, ...]:
    """Every promotion and every other change of what the environment's file names, the oldest first."""
    with cloned(environment.repository, environment.branch, whole=True) as clone:
        return entries_in(clone, environment)


def entries_in(clone: Clone, environment: Environment) -> tuple[Entry, ...]:
    """The same from a whole clone."""
    return entries(file_history(clone, environment.file), target(environment))


def history(environment: Environment, limit: int) -> Outcome:
    """The last ``limit`` of them, the newest first."""
    found = read_history(environment)[::-1][:limit]
    lines = tuple((entry.date[:19].replace("T", " "), _told(entry)) for entry in found)
    nothing = (("History", f"nothing was ever promoted to {environment.name}"),)
    figures = {"entries": [asdict(entry) for entry in found]}
    newest = next(iter(found), None)
    return Outcome(
        lines=lines or nothing,
        digest=newest.digest if newest else "",
        version=newest.version if newest else "",
        run_id=newest.run_id if newest else "",
        figures=figures,
    )


def _told(entry: Entry) -> str:
    at = f"{entry.commit[:12]} by {entry.author}"
    if entry.error:
        return f"  unreadable: {entry.error} ({at})"
    what = f"{entry.model} version {entry.version}, sha256:{entry.digest[:12]}" if entry.digest else "nothing"
    how = "by hand" if entry.by_hand else f"gate {entry.gate}" if entry.gate else entry.subject
    return f"  {what} ({how}; {at})"
