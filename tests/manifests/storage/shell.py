"""Runs a script of the storage manifests as its container would, with `mc` being ours."""

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.manifests.overlays import ROOT

BASE = ROOT / "manifests/base"
_MC = ROOT / "tests/fakes/mc.py"


@dataclass(frozen=True)
class Ran:
    """Exit code and all that it printed."""

    code: int
    printed: str


def run(script: str, *arguments: str, programs: tuple[Path, ...] = (), **environment: str) -> Ran:
    """Run ``manifests/base/<script>``. ``programs``: folders of programs that it may use besides /bin and `mc`."""
    here = Path(environment["MC_CONFIG_DIR"]) if "MC_CONFIG_DIR" in environment else None
    folders = [*programs, Path("/usr/bin"), Path("/bin")]
    if here:
        here.mkdir(parents=True, exist_ok=True)
        (here / "mc").write_text(f'#!/bin/sh\nexec {sys.executable} -I -S {_MC} "$@"\n')
        (here / "mc").chmod(0o755)
        folders.insert(0, here)
    done = subprocess.run(
        ["/bin/sh", BASE / script, *arguments],
        env={"PATH": ":".join(map(str, folders)), **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=120,
    )
    return Ran(done.returncode, done.stdout)


def write_keys(folder: Path, name: str) -> None:
    """A mounted Secret of an identity: its two keys as files."""
    (folder / name).mkdir(parents=True, exist_ok=True)
    (folder / name / "AWS_ACCESS_KEY_ID").write_text(f"{name}-id")
    (folder / name / "AWS_SECRET_ACCESS_KEY").write_text(f"{name}-secret-key")
