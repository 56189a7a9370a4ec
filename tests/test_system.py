"""What a test does when a program that it needs is missing."""

from pathlib import Path

import pytest

from tests.system import require_program


def test_a_missing_program_skips_and_names_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("VIGIA_REQUIRE_SYSTEM_PACKAGES", raising=False)
    with pytest.raises(pytest.skip.Exception, match="no-such-program is not installed: apt-get install some-package"):
        require_program("no-such-program", "some-package")


def test_a_missing_program_fails_where_all_must_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIGIA_REQUIRE_SYSTEM_PACKAGES", "1")
    with pytest.raises(pytest.fail.Exception, match="apt-get install some-package"):
        require_program("no-such-program", "some-package")


def test_the_last_folder_of_a_glob_wins(tmp_path: Path) -> None:
    for version in ("14", "15"):
        (tmp_path / version).mkdir()
        (tmp_path / version / "git").touch(mode=0o755)
    assert require_program("git", "git", f"{tmp_path}/*") == tmp_path / "15" / "git"
    assert require_program("git", "git") != tmp_path / "15" / "git"
