"""Run folders: who may work on one, which one is resumed, and that its rows are the same."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from features.errors import InputError, RetryError, UnreachableError
from features.rows import Rows
from flows import runs
from flows.adapters.ray_reaper import holders, reap

ROWS = Rows(("a",), np.zeros((2, 1)), np.zeros(2, np.int64), ("s",), np.arange(2), np.array([0, 1], np.int8))
HOLDER = """
import sys, time
from pathlib import Path
from flows.runs import holding
with holding(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


def folder(root: Path, name: str) -> Path:
    made = root / name
    made.mkdir()
    (made / runs.CONFIG).touch()
    return made


def test_the_latest_unfinished_run_is_found_and_a_named_one(tmp_path: Path) -> None:
    made = [folder(tmp_path, f"2026-{k}-train-x") for k in range(3)]
    folder(tmp_path, "2026-9-validate-x")
    runs.finish(made[2])
    assert runs.unfinished(tmp_path, "latest") == made[1]
    assert runs.unfinished(tmp_path, made[0].name) == made[0]


def test_a_finished_an_unknown_and_no_run_are_refused(tmp_path: Path) -> None:
    made = folder(tmp_path, "2026-1-train-x")
    with pytest.raises(InputError, match=r"--resume: must name a training run in .*unfinished: 2026-1-train-x"):
        runs.unfinished(tmp_path, "other")
    runs.finish(made)
    with pytest.raises(InputError, match="must name a run that has not finished"):
        runs.unfinished(tmp_path, made.name)
    with pytest.raises(InputError, match="there is no unfinished training run"):
        runs.unfinished(tmp_path, "latest")


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        (UnreachableError("the registry is locked"), "the registry is locked; when that is over"),
        (KeyboardInterrupt(), "interrupted"),
    ],
)
def test_what_breaks_off_a_run_names_the_way_to_finish_it(tmp_path: Path, kind: BaseException, said: str) -> None:
    made = folder(tmp_path, "2026-1-train-x")
    with pytest.raises(type(kind)) as before, runs.resumable(made):
        raise kind
    assert before.value is kind  # nothing was done yet that is worth finishing
    runs.settle(made, ROWS)
    with pytest.raises(type(kind)) as after, runs.resumable(made):
        raise kind
    assert str(after.value) == f"{said}, vigia train --resume 2026-1-train-x finishes the run"


def test_a_run_is_held_by_one_process_until_it_is_killed(tmp_path: Path) -> None:
    older, newer = (folder(tmp_path, f"2026-{k}-train-x") for k in (1, 2))
    holder = subprocess.Popen([sys.executable, "-c", HOLDER, newer], stdout=subprocess.PIPE, text=True)
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    with pytest.raises(RetryError, match="another process is at work on it"), runs.holding(newer):
        pass
    assert runs.unfinished(tmp_path, "latest") == older
    holder.kill()
    holder.communicate()
    assert runs.unfinished(tmp_path, "latest") == newer


def test_other_rows_are_refused(tmp_path: Path) -> None:
    runs.settle(tmp_path, ROWS)
    runs.settle(tmp_path, ROWS)
    with pytest.raises(InputError, match="began with other rows"):
        runs.settle(tmp_path, replace(ROWS, labels=np.array([1, 1], np.int8)))


@pytest.mark.parametrize("changed", ["values", "times", "labels", "series", "series_names", "features"])
def test_the_fingerprint_sees_every_part(changed: str) -> None:
    part = getattr(ROWS, changed)
    other = ("other",) if isinstance(part, tuple) else part + 1
    assert runs.fingerprint(replace(ROWS, **{changed: other})) != runs.fingerprint(ROWS)


def test_the_reaper_ends_what_holds_files_of_its_folder_and_nothing_else(tmp_path: Path) -> None:
    held, other = tmp_path / "held", tmp_path / "held-not"
    for place in (held, other):
        place.mkdir()
    sleepers = []
    for place in (held, other):
        with (place / "log").open("w") as log:
            sleepers.append(subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], stdout=log))
    assert holders(held) == [sleepers[0].pid]
    assert os.getpid() not in holders(held)
    reap(held)
    assert sleepers[0].wait(10) == -9
    assert not held.exists()
    assert sleepers[1].poll() is None
    sleepers[1].kill()
    sleepers[1].wait()
