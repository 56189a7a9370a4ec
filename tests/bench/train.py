"""`make bench`: where the time of `vigia train` on the simulated fleet goes."""

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path


def main() -> None:
    """Print a table of stages; what no stage has is the start of Python, imports and the end of Ray."""
    with tempfile.TemporaryDirectory(prefix="vg-") as folder:
        summary = Path(folder) / "summary.json"
        command = [sys.executable, "-m", "flows", "train", "--workspace", f"{folder}/w", "--quiet"]
        started = time.perf_counter()
        subprocess.run([*command, "--summary", str(summary)], check=True)
        total = time.perf_counter() - started
        spans = [(span["stage"], span["seconds"]) for span in json.loads(summary.read_text())["spans"]]
    rest = ("outside of stages", total - sum(seconds for _, seconds in spans))
    for stage, seconds in (*spans, rest, ("vigia train", total)):
        print(f"{stage:<40}{seconds:>8.1f} s {seconds / total:>6.0%}")


if __name__ == "__main__":
    sys.exit(main())
