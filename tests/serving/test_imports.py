"""What a replica loads: serving stays light."""

import subprocess
import sys

import pytest

HEAVY = ("pandas", "scipy", "sklearn", "torch", "mlflow", "great_expectations", "evidently", "matplotlib")

# Ray Serve itself imports pandas where it happens to be installed, so what counts is that nothing is needed: with the
# heavy packages out of reach the application still imports.
PROGRAM = f"""
import sys
class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {HEAVY!r}:
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, Absent())
import %s
print([name for name in {HEAVY!r} if name in sys.modules])
"""


@pytest.mark.parametrize("module", ["serving.app", "serving.bundle", "serving.routes"])
def test_importing_the_application_needs_nothing_heavy(module: str) -> None:
    found = subprocess.run([sys.executable, "-c", PROGRAM % module], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_the_check_would_notice_a_heavy_import() -> None:
    found = subprocess.run([sys.executable, "-c", PROGRAM % "sklearn"], capture_output=True, text=True, check=False)
    assert found.returncode != 0
