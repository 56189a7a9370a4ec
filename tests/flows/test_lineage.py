"""Where a bundle comes from: the commit of the project's own checkout, windows in words, and which rows made it."""

import subprocess
from pathlib import Path

import msgspec
import numpy as np
import pytest

from evaluation.used import Used
from features.history import NO_HISTORY, scorable
from features.rows import Rows
from features.split import Window
from flows.adapters.checkout import Checkout, read_built, read_checkout
from flows.steps.lineage import Lineage, Span, spans, stated, trace, training_windows

HOUR = 3_600_000_000


def git(folder: Path, *arguments: str) -> str:
    who = ["-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false"]
    return subprocess.run(["git", *who, *arguments], cwd=folder, check=True, capture_output=True, text=True).stdout


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout with one commit of one file."""
    git(tmp_path, "init", "--quiet")
    (tmp_path / "code.py").write_text("1\n")
    git(tmp_path, "add", "code.py")
    git(tmp_path, "commit", "--quiet", "--message=one")
    return tmp_path


def test_a_checkout_is_its_head_and_whether_tracked_files_differ(checkout: Path) -> None:
    (checkout / "notes.txt").write_text("not tracked\n")
    found = read_checkout(checkout)
    assert found is not None
    assert (found.commit, found.dirty) == (git(checkout, "rev-parse", "HEAD").strip(), False)
    (checkout / "code.py").write_text("2\n")
    changed = read_checkout(checkout)
    assert changed is not None
    assert changed.dirty


def test_a_folder_inside_another_checkout_or_in_none_has_no_commit(checkout: Path) -> None:
    (checkout / "site-packages").mkdir()
    assert read_checkout(checkout / "site-packages") is None
    assert read_checkout(Path("/")) is None


def test_an_image_says_which_commit_it_was_built_from_and_whether_more_had_changed(tmp_path: Path) -> None:
    assert read_built(tmp_path) is None
    (tmp_path / "vigia-commit").write_text(f"{'a' * 40}\n")
    assert read_built(tmp_path) == Checkout("a" * 40, dirty=False)
    (tmp_path / "vigia-commit").write_text(f"{'a' * 40}-dirty\n")
    assert read_built(tmp_path) == Checkout("a" * 40, dirty=True)


def window(first_h: int, last_h: int, series: tuple[str, ...] = ("a", "b")) -> Rows:
    """A row an hour of each series."""
    times = np.tile(np.arange(first_h, last_h + 1) * HOUR, len(series))
    codes = np.repeat(np.arange(len(series)), last_h + 1 - first_h)
    return Rows(("x",), np.zeros((len(times), 1)), codes, series, times, None)


def made() -> dict[Window, Rows]:
    return {Window.REFERENCE: window(0, 9), Window.CALIBRATION: window(12, 15), Window.TEST: window(20, 30)}


def lineage(windows: dict[str, Span], folder: Path) -> Lineage:
    return trace("rows.csv", "f" * 64, windows, folder, run_id="r1", digest="d" * 64)


def test_a_model_was_made_of_every_window_but_the_one_that_judged_it(tmp_path: Path) -> None:
    found = spans({name: scorable(rows, NO_HISTORY) for name, rows in made().items()}, between_series=False)
    assert training_windows(lineage(found, tmp_path)) == (Used(0, 9 * HOUR), Used(12 * HOUR, 15 * HOUR))


def test_where_the_cut_goes_between_series_only_those_were_used(tmp_path: Path) -> None:
    found = spans({Window.REFERENCE: scorable(window(0, 9), NO_HISTORY)}, between_series=True)
    assert training_windows(lineage(found, tmp_path)) == (Used(0, 9 * HOUR, frozenset({"a", "b"})),)


def test_lineage_is_read_back_as_it_was_and_says_it_in_words(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("seed: 7\n")
    found = lineage({"reference": Span(20, 0, 9 * HOUR)}, tmp_path)
    assert msgspec.json.decode(msgspec.json.encode(found), type=Lineage) == found
    words = stated(found)
    assert words["windows"] == "reference: 20 rows from 1970-01-01T00:00:00Z to 1970-01-01T09:00:00Z"
    assert len(words["configuration"]) == len(words["lock"]) == 64
    assert "before" not in words


def test_a_table_without_times_has_windows_that_nobody_can_find_again(tmp_path: Path) -> None:
    assert training_windows(lineage({"reference": Span(20)}, tmp_path)) == ()
