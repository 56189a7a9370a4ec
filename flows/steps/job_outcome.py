"""What a command that waited for a job returns or raises: the job's own outcome, under its own exit code."""

import shlex
from dataclasses import dataclass

from features.errors import InputError, RetryError, UnverifiedError
from flows.exit_codes import CarriedError, ExitCode
from flows.jobs.verdict import Ended, Failed, Unknown
from flows.outcome import Outcome, RefusedRun
from flows.result_line import VERDICTS, Result


@dataclass(frozen=True)
class Whereabouts:
    """Where a later command finds the same jobs. address, place: options beside --env, as a shell takes them; place:
    those that every next command is given at the end of the last screen."""

    environment: str
    address: str = ""
    place: str = ""

    def command(self, words: str) -> str:
        """What to type after vigia; words: those of `vigia jobs`."""
        return " ".join(filter(None, (f"jobs {words} --env {self.environment}", self.address, self.place)))

    def way_back(self, name: str) -> str:
        """What to type after vigia to see a job again."""
        return self.command(f"logs {name} --follow")


def outcome_of(name: str, where: Whereabouts, verdict: Ended | Failed | Unknown) -> Outcome:
    """The outcome of a job that succeeded, with whatever verdict.

    Raises RefusedRun for one that a gate refused, CarriedError for one that failed with a code of ours, InputError for
    one that the operator found invalid, RetryError for one that failed without a word, UnverifiedError where nobody
    can tell.
    """
    if isinstance(verdict, Ended):
        return _ended(name, where.environment, verdict.result)
    again = f"`vigia {where.way_back(name)}` shows its log while it is there"
    if isinstance(verdict, Unknown):
        raise UnverifiedError(f"{name}: {verdict.reason}; {again}")
    if verdict.invalid:
        raise InputError(name, f"the operator refuses it: {verdict.reason}")
    if verdict.result is None:
        raise RetryError(f"{name} failed without a result: {verdict.reason}; {again}")
    raise _carried(name, verdict.result)


def _ended(name: str, environment: str, result: Result) -> Outcome:
    code = ExitCode(result.exit_code)
    figures = {"job": name, **result.figures}
    said = "succeeded" if code == ExitCode.DONE else f"says {code.name.lower()}"
    told = (("Version", result.version), ("Digest", result.digest[:12]), ("Run", result.run_id))
    lines = (("Job", f"{name} {said}"), *((heading, text) for heading, text in told if text))
    made = code == ExitCode.DONE and result.command == "train" and result.version
    following = f"promote --version {result.version} --env {environment}{_model(result)}" if made else ""
    done = Outcome(lines, following, result.digest, result.version, result.run_id, figures, exit_code=code)
    if code == ExitCode.REFUSED:
        raise RefusedRun(result.error, done)
    if code != ExitCode.DONE and code not in VERDICTS:
        raise _carried(name, result)
    return done


def _model(result: Result) -> str:
    """The option that names what was trained; "" where an earlier image did not say."""
    model = result.figures.get("model")
    return f" --model {shlex.quote(str(model))}" if model else ""


def _carried(name: str, result: Result) -> CarriedError:
    return CarriedError(f"{name}: {result.error or 'failed'}", ExitCode(result.exit_code))
