"""One promotion as a process of its own: arguments are workspace, repository, model and version; prints the outcome.

It waits for a line on stdin first, so that many begin at once.
"""

import sys
from pathlib import Path

from features.errors import VigiaError
from flows.adapters.registry import Registry
from flows.config.environments import EnvironmentConfig
from flows.environments import resolve
from flows.exit_codes import exit_code
from flows.steps.promote import promote
from flows.workspace import Workspace


def main() -> int:
    """The exit code that `vigia promote` would have."""
    folder, repository, model, version = sys.argv[1:]
    workspace = Workspace(Path(folder))
    environment = resolve("local", EnvironmentConfig(repository=repository), workspace)
    registry = Registry(environment.registry, environment.artifacts)
    print("ready", flush=True)
    sys.stdin.readline()
    try:
        print(promote(environment, registry, model, version).lines[0][1], flush=True)
    except VigiaError as error:
        print(error, flush=True)
        return exit_code(error)
    return 0


if __name__ == "__main__":
    sys.exit(main())
