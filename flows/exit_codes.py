"""Exit codes: what a script, a CronJob or a person does next."""

from enum import IntEnum

from features.errors import DisagreementError, InputError, RefusedError, RetryError, RolloutError, VigiaError


class ExitCode(IntEnum):
    """One code a kind of outcome; part of the interface."""

    DONE = 0
    BUG = 1
    INPUT = 2
    REFUSED = 3
    RETRY = 4
    ROLLOUT = 5
    DISAGREE = 6
    WATCH = 10
    RETRAIN = 11
    INTERRUPTED = 130


class CarriedError(VigiaError):
    """What another process of ours ended with: its words, under its own code."""

    def __init__(self, message: str, code: ExitCode) -> None:
        super().__init__(message)
        self.code = code


_BY_ERROR: dict[type[BaseException], ExitCode] = {
    InputError: ExitCode.INPUT,
    RefusedError: ExitCode.REFUSED,
    RetryError: ExitCode.RETRY,
    RolloutError: ExitCode.ROLLOUT,
    DisagreementError: ExitCode.DISAGREE,
    KeyboardInterrupt: ExitCode.INTERRUPTED,
}


def exit_code(error: BaseException) -> ExitCode:
    """The code of an error: its own, or that of the nearest class of the tree, BUG for anything else."""
    if isinstance(error, CarriedError):
        return error.code
    for kind in type(error).__mro__:
        if kind in _BY_ERROR:
            return _BY_ERROR[kind]
    return ExitCode.BUG
