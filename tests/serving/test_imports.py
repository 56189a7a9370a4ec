"""What a replica loads: serving stays light."""

import subprocess
import sys

HEAVY = ("pandas", "scipy", "sklearn", "torch", "mlflow", "great_expectations", "evidently", "matplotlib")


def test_importing_the_application_loads_nothing_heavy() -> None:
    program = f"import serving.app, sys; print([name for name in {HEAVY!r} if name in sys.modules])"
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
