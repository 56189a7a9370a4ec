"""One exit code a kind of error."""

import pickle

import pytest

from features.errors import (
    DisagreementError,
    InputError,
    NotEnoughDataError,
    RefusedError,
    RetryError,
    RolloutError,
    UnreachableError,
    UnverifiedError,
    VigiaError,
)
from flows.exit_codes import CarriedError, ExitCode, exit_code


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (InputError("key", "rule"), 2),
        (NotEnoughDataError("key", "rule", 3), 2),
        (RefusedError("gate"), 3),
        (RetryError("later"), 4),
        (UnreachableError("store"), 4),
        (UnverifiedError("truth"), 4),
        (RolloutError("reverted"), 5),
        (DisagreementError("replicas"), 6),
        (KeyboardInterrupt(), 130),
        (VigiaError("without a kind"), 1),
        (ValueError("bug"), 1),
    ],
)
def test_every_error_has_its_code(error: BaseException, code: int) -> None:
    assert exit_code(error) == code


def test_the_numbers_are_part_of_the_interface() -> None:
    assert {code.name: int(code) for code in ExitCode} == {
        "DONE": 0,
        "BUG": 1,
        "INPUT": 2,
        "REFUSED": 3,
        "RETRY": 4,
        "ROLLOUT": 5,
        "DISAGREE": 6,
        "WATCH": 10,
        "RETRAIN": 11,
        "INTERRUPTED": 130,
    }


def test_an_input_error_says_field_rule_and_value() -> None:
    assert str(InputError("a.b", "must be 1", 2)) == "a.b: must be 1, got 2"
    assert str(InputError("a.b", "must be 1", None)) == "a.b: must be 1, got None"
    assert str(InputError("a.b", "is unknown")) == "a.b: is unknown"
    assert len(str(InputError("a", "b", "x" * 10_000))) < 200


def test_an_error_comes_back_whole_from_a_worker() -> None:
    error = pickle.loads(pickle.dumps(NotEnoughDataError("window", "needs rows", 3)))
    assert type(error) is NotEnoughDataError
    assert str(error) == "window: needs rows, got 3"


def test_what_another_process_ended_with_keeps_its_code() -> None:
    assert exit_code(CarriedError("data.uri: must exist", ExitCode.INPUT)) == 2
