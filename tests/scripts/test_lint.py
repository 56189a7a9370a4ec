"""Every shell script passes shellcheck, and versions stand in one file only."""

import re
import subprocess
import sys
from pathlib import Path

from tests.scripts.conftest import ROOT

SCRIPTS = sorted((ROOT / "scripts").glob("*.sh"))
PARTS = sorted((ROOT / "scripts/shell").glob("*.sh"))


def test_shellcheck_has_nothing_to_say() -> None:
    program = Path(sys.executable).parent / "shellcheck"
    files = [*SCRIPTS, *PARTS, ROOT / ".ci/run", *(ROOT / "tests/scripts/stubs").iterdir()]
    found = subprocess.run([program, "-x", *files], cwd=ROOT, capture_output=True, text=True)
    assert found.stdout + found.stderr == ""


def test_every_script_stops_at_the_first_error_and_runs_by_itself() -> None:
    for script in SCRIPTS:
        assert "\nset -euo pipefail\n" in script.read_text(), script
        assert script.stat().st_mode & 0o111, script


def test_no_version_stands_elsewhere_than_in_its_file() -> None:
    versions = re.findall(r"(?m)^[A-Z_]+_VERSION=v?(\S+)$", (ROOT / "scripts/versions.env").read_text())
    assert len(versions) > 10
    files = [*SCRIPTS, *PARTS, *(ROOT / "scripts/values").iterdir(), *(ROOT / ".github/workflows").iterdir()]
    texts = {file: file.read_text() for file in files}
    assert not [
        (file.name, one)
        for file, text in texts.items()
        for one in versions
        if re.search(rf"\b{re.escape(one)}\b", text)
    ]
