"""Rule: Prometheus takes the rules of every PrometheusRule; it alone knows its language."""

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import yaml

from tests.manifests.checking.documents import Documents
from tests.manifests.checking.finding import Finding

MISSING = "no promtool: apt-get install prometheus"


def promtool() -> str | None:
    return shutil.which("promtool")


def prometheus_rules(documents: Documents) -> Iterator[Finding]:
    """No finding without the program; the caller says so."""
    program = promtool()
    for rule in documents.of("PrometheusRule") if program else ():
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder, "rules.yaml")
            file.write_text(yaml.safe_dump(rule.spec))
            checked = subprocess.run(
                [str(program), "check", "rules", str(file)], capture_output=True, text=True, check=False
            )
        if checked.returncode:
            yield rule.finding("spec.groups", "accepted by promtool", checked.stderr.replace(str(file), ""))
