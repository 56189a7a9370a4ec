"""`vigia doctor`: everything a person would check of an environment, in order, with the fix beside each failure."""

from collections.abc import Sequence
from dataclasses import asdict

from flows.doctor.checkup import Check, Found, Verdict, examine, exit_code_of
from flows.outcome import Outcome, Progress

_SIGNS = {Verdict.OK: "ok", Verdict.FAILED: "FAILED", Verdict.UNKNOWN: "?", Verdict.LEFT_OUT: "-"}


def doctor(checks: Sequence[Check], progress: Progress) -> Outcome:
    """Ask everything, telling each answer as it comes. Nothing is changed.

    Ends with INPUT where something is to be mended, with RETRY where something could not be told.
    """
    found = []
    for one in examine(checks):
        found.append(one)
        progress.say(f"{_SIGNS[one.verdict]:<7} {one.title}: {' '.join(one.text.split())}")
        if one.fix:
            progress.say(f"{'':<8}{one.fix}")
    return Outcome(
        lines=(("Doctor", _summary(found)),),
        figures={"checks": [asdict(one) for one in found]},
        exit_code=exit_code_of(found),
    )


def _summary(found: Sequence[Found]) -> str:
    counts = {verdict: sum(one.verdict is verdict for one in found) for verdict in Verdict}
    told = [f"{counts[Verdict.OK]} of {len(found)} well"]
    words = {Verdict.FAILED: "to mend", Verdict.UNKNOWN: "could not be told", Verdict.LEFT_OUT: "left out"}
    return ", ".join(told + [f"{counts[verdict]} {word}" for verdict, word in words.items() if counts[verdict]])
