"""Exit codes: what a script, a CronJob or a person does next."""

from enum import IntEnum

from features.errors import DisagreementError, InputError, RefusedError, RetryError, RolloutError


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


_BY_ERROR: dict[type[BaseException], ExitCode] = {
    InputError: ExitCode.INPUT,
    RefusedError: ExitCode.REFUSED,
    RetryError: ExitCode.RETRY,
    RolloutError: ExitCode.ROLLOUT,
    DisagreementError: ExitCode.DISAGREE,
    KeyboardInterrupt: ExitCode.INTERRUPTED,
}


def exit_code(error: BaseException) -> ExitCode:
    """The code of an error: that of the nearest class of the tree, BUG for anything else."""
    for kind in type(error).__mro__:
        if kind in _BY_ERROR:
            return _BY_ERROR[kind]
    return ExitCode.BUG
