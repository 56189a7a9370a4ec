"""A `git` for the PATH that does one more thing, once, before or after a given verb: what happens between two steps."""

import shutil
from pathlib import Path

_SCRIPT = """#!/bin/sh
meddle() {{
    case " {words} " in *" {verb} "*) ;; *) return ;; esac
    mkdir "{folder}/done" 2>/dev/null || return
    {command}
}}
words=" $* "
{before}
"{real}" "$@"
code=$?
{after}
exit $code
"""


def meddling_git(folder: Path, verb: str, *, before: str = "", after: str = "") -> Path:
    """A folder to put first on the PATH; the commands are for the shell, ``$PPID`` is who called git."""
    folder.mkdir()
    script = folder / "git"
    values = {
        "folder": folder,
        "verb": verb,
        "words": "$words",
        "command": before or after,
        "real": shutil.which("git"),
    }
    script.write_text(_SCRIPT.format(**values, before="meddle" if before else "", after="meddle" if after else ""))
    script.chmod(0o755)
    return folder
