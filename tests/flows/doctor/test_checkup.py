"""A checkup asks in order, goes on after a failure, and ends with what is to be done next."""

import pytest

from features.errors import InputError, UnreachableError, UnverifiedError
from flows.doctor.checkup import Check, Verdict, examine, exit_code_of
from flows.exit_codes import ExitCode


def failing(error: Exception) -> Check:
    def question() -> str:
        raise error

    return Check("second", question, "mend it")


FIRST = Check("first", lambda: "fine", "")
LAST = Check("last", lambda: "fine", "", ("second",))


@pytest.mark.parametrize(
    ("error", "verdict", "code"),
    [
        (InputError("store", "must exist", "x"), Verdict.FAILED, ExitCode.INPUT),
        (UnreachableError("away"), Verdict.UNKNOWN, ExitCode.RETRY),
    ],
)
def test_what_fails_has_its_fix_and_what_needs_it_is_left_out(error: Exception, verdict: Verdict, code: int) -> None:
    found = list(examine([FIRST, failing(error), LAST]))
    assert [one.verdict for one in found] == [Verdict.OK, verdict, Verdict.LEFT_OUT]
    assert (found[1].text, found[1].fix) == (str(error), "mend it")
    assert found[2].text == "needs second"
    assert exit_code_of(found) == code


def test_that_somebody_may_not_look_bars_nothing_and_the_fix_is_to_see_to_the_access() -> None:
    found = list(examine([FIRST, failing(UnverifiedError("403")), LAST]))
    assert [one.verdict for one in found] == [Verdict.OK, Verdict.UNKNOWN, Verdict.OK]
    assert "mend it" not in found[1].fix
    assert "ask somebody who may look" in found[1].fix
    assert exit_code_of(found) == ExitCode.RETRY


def test_a_failure_counts_for_more_than_what_could_not_be_told() -> None:
    found = list(examine([failing(UnreachableError("away")), failing(InputError("a", "b"))]))
    assert exit_code_of(found) == ExitCode.INPUT


def test_all_well_is_done() -> None:
    found = list(examine([FIRST, Check("last", lambda: "fine", "", ("first",))]))
    assert (exit_code_of(found), {one.fix for one in found}) == (ExitCode.DONE, {""})


def test_a_bug_in_a_question_is_not_hidden() -> None:
    with pytest.raises(KeyError):
        list(examine([failing(KeyError("bug"))]))
