"""Virtual environments for programs that we measure ourselves against: made once, in the workspace folder."""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

_PEERS = Path(__file__).parents[1] / ".vigia" / "peers"


def peer_python(name: str, pins: Sequence[str]) -> Path | None:
    """The interpreter of the environment ``name``, filled with ``pins``; None, and why on stderr, where pip cannot."""
    folder = _PEERS / name
    python, marker = folder / "bin" / "python", folder / ".installed"
    if not marker.exists():
        try:
            subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True)
            subprocess.run([python, "-m", "pip", "install", "-qq", "--disable-pip-version-check", *pins], check=True)
        except (subprocess.CalledProcessError, OSError) as error:
            print(f"{name} is not measured: {error}", file=sys.stderr)
            return None
        marker.touch()
    return python
