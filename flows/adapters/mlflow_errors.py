"""What MLflow raises, in the words of features.errors; and calls that are made again when clients collide."""

import random
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from mlflow.exceptions import MlflowException
from sqlalchemy.exc import SQLAlchemyError

from features.errors import InputError, UnreachableError, VigiaError

Result = TypeVar("Result")
_TRIES = 8
_COLLIDED = re.compile(
    r"UniqueViolation|UNIQUE constraint|IntegrityError|duplicate key|[Dd]eadlock|could not serialize|database is locked"
    r"|Giving up after \d+ attempts"
)
_SOURCE = "MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN"
_AWAY = {
    "Connection refused": "connection refused",
    "Failed to resolve": "no such host",
    "timed out": "no answer in time",
    "Connection aborted": "it closed the connection",
}
_TOLD = 300  # characters of what MLflow says


class MissingError(InputError):
    """The registry has no such run, model, version or alias."""


@contextmanager
def translated(uri: str) -> Iterator[None]:
    """Raises UnreachableError where the registry at ``uri`` is away or fails, MissingError for what it does not have,
    InputError naming the rule where it refuses."""
    try:
        yield
    except MlflowException as error:
        raise _explained(uri, error) from error
    except (SQLAlchemyError, OSError) as error:
        raise UnreachableError(f"registry {uri}: {str(error).splitlines()[0]}") from error
    except ModuleNotFoundError as error:
        rule = f"its artifacts lie where {error.name} is needed to write them; install it, or let the server write them"
        raise InputError("registry", rule, uri) from error
    except Exception as error:
        if type(error).__module__.partition(".")[0] not in ("boto3", "botocore"):
            raise
        raise UnreachableError(f"registry {uri}: its artifacts cannot be reached: {error}") from error


def again(call: Callable[[], Result]) -> Result:
    """The result of a call that may be made twice, made again after a pause where another client was in its way.

    MLflow's stores look before they write: of two clients that set one alias or make one experiment, one may fail.
    """
    for attempt in range(_TRIES):
        try:
            return call()
        except MlflowException as error:
            if attempt == _TRIES - 1 or not _COLLIDED.search(error.message):
                raise
            time.sleep(random.uniform(0.5, 1.0) * 0.05 * 2**attempt)
    raise AssertionError


def already_there(error: MlflowException) -> bool:
    """Whether what was to be made exists: another client was first."""
    return bool(error.error_code == "RESOURCE_ALREADY_EXISTS")


def _explained(uri: str, error: MlflowException) -> VigiaError:
    code, text = error.error_code, " ".join(error.message.partition("[SQL:")[0].split())
    if code == "RESOURCE_DOES_NOT_EXIST" or (code == "INVALID_PARAMETER_VALUE" and "alias" in text):
        return MissingError("registry", text)
    if "Invalid Host header" in text:
        rule = "the server answers to other host names only (403); its MLFLOW_SERVER_ALLOWED_HOSTS must list this one"
        return InputError("registry", rule, uri)
    if code in ("UNAUTHENTICATED", "CUSTOMER_UNAUTHORIZED"):
        return InputError("registry", f"access refused (401); credentials are taken from {_SOURCE}", uri)
    if code == "PERMISSION_DENIED":
        return InputError("registry", f"access refused (403); the credentials, from {_SOURCE}, do not suffice", uri)
    if code == "ENDPOINT_NOT_FOUND" or "not in a valid JSON format" in text:
        return InputError("registry", "must be an MLflow server of version 3 or newer", uri)
    if code == "INVALID_PARAMETER_VALUE":
        return InputError("registry", text[:_TOLD])
    return UnreachableError(f"registry {uri}: {_trouble(text)}")


def _trouble(text: str) -> str:
    """What the client says of a server that is away, without its retries and addresses."""
    for mark, words in _AWAY.items():
        if mark in text:
            return words
    status = re.search(r"too many (\d+) error responses", text)
    return f"it answers HTTP {status[1]}" if status else text[:_TOLD]
