"""A checkup: questions in order, each answered, failed, not to be told or left out, with the fix beside it."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from features.errors import RetryError, UnverifiedError, VigiaError
from flows.exit_codes import ExitCode

_ACCESS = "see to your access, or ask somebody who may look; whether anything is broken is not told by this"


class Verdict(StrEnum):
    """What came of a question."""

    OK = "ok"
    FAILED = "failed"
    UNKNOWN = "unknown"
    LEFT_OUT = "left out"


@dataclass(frozen=True)
class Check:
    """question: returns what is well, raises what is not; fix: what to do then; needs: titles to be asked before it."""

    title: str
    question: Callable[[], str]
    fix: str
    needs: tuple[str, ...] = ()


@dataclass(frozen=True)
class Found:
    """What came of one check; fix: empty where there is nothing to mend."""

    title: str
    verdict: Verdict
    text: str
    fix: str = ""


def examine(checks: Sequence[Check]) -> Iterator[Found]:
    """Ask one after the other.

    Whoever could not be asked, or refuses to say (401, 403), leaves it unknown. What needs something that failed, did
    not answer or was left out is left out; that somebody may not look bars nothing.
    """
    open_to: set[str] = set()
    for check in checks:
        lacking = [title for title in check.needs if title not in open_to]
        if lacking:
            yield Found(check.title, Verdict.LEFT_OUT, f"needs {', '.join(lacking)}")
            continue
        try:
            text = check.question()
        except UnverifiedError as error:
            open_to.add(check.title)
            yield Found(check.title, Verdict.UNKNOWN, str(error), _ACCESS)
        except RetryError as error:
            yield Found(check.title, Verdict.UNKNOWN, str(error), check.fix)
        except VigiaError as error:
            yield Found(check.title, Verdict.FAILED, str(error), check.fix)
        else:
            open_to.add(check.title)
            yield Found(check.title, Verdict.OK, text)


def exit_code_of(found: Sequence[Found]) -> ExitCode:
    """INPUT where something is to be mended, RETRY where something could not be told."""
    verdicts = {one.verdict for one in found}
    if Verdict.FAILED in verdicts:
        return ExitCode.INPUT
    return ExitCode.RETRY if Verdict.UNKNOWN in verdicts else ExitCode.DONE
