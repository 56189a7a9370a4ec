"""Arguments that choose an environment, the environment that they choose, and its tokens."""

import argparse
import os
from pathlib import Path

from features.errors import InputError
from flows.config.environments import Token
from flows.environments import Environment, environment
from flows.workspace import Workspace


def add_environment(parser: argparse.ArgumentParser) -> None:
    """--env and --environments."""
    parser.add_argument("--env", default="local", help="environment (local)")
    told = "YAML file that describes environments (environments.yaml of the workspace, else configs/environments.yaml)"
    parser.add_argument("--environments", type=Path, metavar="FILE", help=told)


def chosen(arguments: argparse.Namespace, workspace: Workspace, name: str | None = None) -> Environment:
    """The environment of ``--env``, or of that name, with MLflow's client told of its token, if it names one."""
    found = environment(name or arguments.env, workspace, arguments.environments)
    token = read_token(found.tokens.registry, f"{found.name}.tokens.registry")
    if token is not None:
        os.environ["MLFLOW_TRACKING_TOKEN"] = token
    return found


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
