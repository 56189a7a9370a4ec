"""Arguments that choose an environment, the environment that they choose, and its tokens."""

import argparse
import os
from pathlib import Path

from features.errors import InputError
from flows.adapters.http_json import refuse_unsendable
from flows.config.environments import Token
from flows.environments import Environment, environment, find_environment
from flows.workspace import Workspace

LOCAL = "local"


def add_environment(parser: argparse.ArgumentParser) -> None:
    """--env and --environments."""
    parser.add_argument("--env", help=f"environment ({LOCAL})")
    told = "YAML file that describes environments (environments.yaml of the workspace, else configs/environments.yaml)"
    parser.add_argument("--environments", type=Path, metavar="FILE", help=told)


def chosen(arguments: argparse.Namespace, workspace: Workspace, name: str = LOCAL, *, git: bool = False) -> Environment:
    """The environment of ``--env``, else of that name; MLflow's client is told of its token, if it names one.

    ``git``: its repository is needed, and is made if it is the workspace's own.
    """
    found = described(arguments, workspace, name, git=git)
    tell_registry_token(found)
    return found


def described(
    arguments: argparse.Namespace, workspace: Workspace, name: str = LOCAL, *, git: bool = False
) -> Environment:
    """As ``chosen``, for what asks no registry: no token of its is needed."""
    find = environment if git else find_environment
    return find(arguments.env or name, workspace, arguments.environments)


def tell_registry_token(found: Environment) -> None:
    """To MLflow's client, where the environment names one. Raises InputError where that holds none."""
    token = read_token(found.tokens.registry, f"{found.name}.tokens.registry")
    if token is not None:
        os.environ["MLFLOW_TRACKING_TOKEN"] = token
    refuse_unsendable("MLFLOW_TRACKING_TOKEN", os.environ.get("MLFLOW_TRACKING_TOKEN", ""))


def read_token(where: Token | None, field: str) -> str | None:
    """The token; None where none is named. Raises InputError naming the variable or file that holds none."""
    if where is None:
        return None
    if where.variable is not None:
        found, place = os.environ.get(where.variable, ""), f"the variable {where.variable}"
    else:
        assert where.file is not None
        place = f"the file {where.file}"
        try:
            found = where.file.expanduser().read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or "it is no UTF-8 text"
            raise InputError(field, f"{place} must be readable ({reason})") from error
    if not found.strip():
        raise InputError(field, f"{place} must hold a token")
    return found.strip()
