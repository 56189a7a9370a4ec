"""A branch that takes no push, as a host protects one."""

from pathlib import Path

SAID = "changes need a pull request"


def protect(repository: Path, branch: str = "main") -> None:
    """Refuse every push to the branch of a bare repository."""
    hook = repository / "hooks" / "update"
    hook.write_text(f'#!/bin/sh\n[ "$1" != refs/heads/{branch} ] || {{ echo "{SAID}"; exit 1; }}\n')
    hook.chmod(0o755)
