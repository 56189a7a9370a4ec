"""The git door: signing, hooks, credentials, line endings; what a machine's own settings may and may not change."""

import os
import shutil
import socket
import subprocess
from pathlib import Path

import pytest

from features.errors import InputError, RefusedError, UnreachableError
from flows.adapters.clone import Change, cloned
from flows.adapters.git import commit_change, head_commit, push_change, read_head
from flows.adapters.git_history import file_history
from flows.adapters.git_program import blanked, git, run_git
from tests.fakes.git_http import PASSWORD, USER, git_host
from tests.flows.promotion.place import FILE, Place, run_in


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A git configuration of this machine, to write into."""
    file = tmp_path / "gitconfig"
    file.write_text("[user]\n  name = ada\n  email = ada@localhost\n")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(file))
    return file


def change(place: Place, text: str = "x\n") -> str:
    """Commit a file and push."""
    commit = push_change(place.repository, "main", lambda _: Change("notes", text, "Note\n"))
    assert commit
    return commit


@pytest.mark.usefixtures("settings")
def test_commits_are_by_whom_git_says(place: Place) -> None:
    change(place)
    assert place.git("log", "-1", "--format=%an <%ae>", "main") == "ada <ada@localhost>\n"


def test_without_a_name_they_are_by_vigia(place: Place, settings: Path) -> None:
    settings.write_text("")
    change(place)
    assert place.git("log", "-1", "--format=%an", "main") == "vigia\n"


@pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="needs ssh-keygen")
def test_commits_are_signed_where_git_is_told_to(place: Place, settings: Path, tmp_path: Path) -> None:
    key = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    settings.write_text(
        f"{settings.read_text()}  signingkey = {key}\n[gpg]\n  format = ssh\n[commit]\n  gpgsign = true\n"
    )
    change(place)
    assert "BEGIN SSH SIGNATURE" in place.git("cat-file", "commit", "main")


def test_where_signing_is_required_and_cannot_be_done_nothing_is_pushed(place: Place, settings: Path) -> None:
    settings.write_text(
        f"{settings.read_text()}  signingkey = /no/key\n[gpg]\n  format = ssh\n[commit]\n  gpgsign = true\n"
    )
    before = place.log()
    with pytest.raises(
        InputError, match=r"^git: commits must be signed \(commit\.gpgsign\), which failed; nothing was"
    ):
        change(place)
    assert place.log() == before


def test_line_endings_filters_and_hooks_of_the_machine_change_no_byte(
    place: Place, settings: Path, tmp_path: Path
) -> None:
    (tmp_path / "hooks").mkdir()
    for name in ("pre-commit", "commit-msg", "pre-push"):
        (tmp_path / "hooks" / name).write_text("#!/bin/sh\nexit 1\n")
        (tmp_path / "hooks" / name).chmod(0o755)
    settings.write_text(f"{settings.read_text()}[core]\n  autocrlf = true\n  hooksPath = {tmp_path / 'hooks'}\n")
    text = "a: 1\r\nb: 2\nc: 3"
    change(place, text)
    assert read_head(place.repository, "main", "notes")[1] == text
    remote = place.repository.as_uri()
    assert read_head(remote, "main", "notes")[1] == text


@pytest.mark.parametrize(
    "theirs",
    [
        "[clone]\n  defaultRemoteName = upstream\n",
        "[core]\n  hooksPath = HOOKS\n",
        "[commit]\n  cleanup = strip\n",
        "[i18n]\n  commitEncoding = ISO-8859-1\n  logOutputEncoding = ISO-8859-1\n",
        "[log]\n  showSignature = true\n",
        "[push]\n  recurseSubmodules = only\n",
        "[init]\n  templateDir = TEMPLATE\n",
    ],
)
def test_what_people_set_for_their_own_checkouts_changes_no_commit_and_no_push(
    place: Place, settings: Path, tmp_path: Path, theirs: str
) -> None:
    hooks = tmp_path / "template" / "hooks"
    hooks.mkdir(parents=True)
    for name in ("prepare-commit-msg", "post-commit"):
        (hooks / name).write_text(f"#!/bin/sh\necho TICKET-1 >> {tmp_path / 'ran'}\n")
        (hooks / name).chmod(0o755)
    theirs = theirs.replace("HOOKS", str(hooks)).replace("TEMPLATE", str(hooks.parent))
    settings.write_text(settings.read_text() + theirs)
    message = "Größer …\n\n# not a comment\n\nGate: pass\n"
    push_change(place.repository, "main", lambda _: Change("notes", "x\n", message))
    assert place.git("cat-file", "commit", "main").endswith(f"\n\n{message}")
    with cloned(place.repository, "main", whole=True) as clone:
        assert file_history(clone, "notes")[0].messages == (message.strip(),)
    assert not (tmp_path / "ran").exists()


def test_a_hook_of_the_server_refuses_in_its_own_words(place: Place) -> None:
    hook = place.repository / "hooks" / "pre-receive"
    hook.write_text("#!/bin/sh\necho 'frozen for the audit' >&2\nexit 1\n")
    hook.chmod(0o755)
    with pytest.raises(RefusedError, match=r"refuses a push to main \(pre-receive hook declined\): frozen for the aud"):
        change(place)


def test_a_branch_that_is_not_there_is_named(place: Place) -> None:
    with pytest.raises(InputError, match="Remote branch other not found"), cloned(place.repository, "other"):
        pass
    with pytest.raises(InputError, match="branch: must exist in"):
        head_commit(place.repository, "other")


def test_the_head_is_known_without_a_clone(place: Place) -> None:
    commit = change(place)
    assert head_commit(place.repository, "main") == head_commit(place.repository.as_uri(), "main") == commit


def test_a_link_is_not_written_through(place: Place, tmp_path: Path) -> None:
    run_in(tmp_path, "clone", "--quiet", str(place.repository), "theirs")
    (tmp_path / "theirs" / FILE).unlink()
    (tmp_path / "theirs" / FILE).symlink_to("elsewhere")
    run_in(tmp_path / "theirs", "-c", "user.name=o", "-c", "user.email=o@o", "commit", "--quiet", "-a", "-m", "link")
    run_in(tmp_path / "theirs", "push", "--quiet")
    with pytest.raises(InputError, match="must be a plain file, got '120000'"):
        commit_change(place.repository, "main", FILE, "elsewhere", "text", "m")


def test_a_url_with_a_password_is_refused_without_repeating_it() -> None:
    urls = ["https://ada:geheim@git.example/x.git", "https://geheim@git.example/x", "ssh://ada:geheim@h/x"]
    for url in (*urls, "https://ada:an@geheim@h/x", "https://ada@geheim@h/x"):
        with pytest.raises(InputError, match="must hold no credentials") as caught, cloned(url, "main"):
            pass
        assert "geheim" not in str(caught.value)


def test_a_user_of_ssh_is_no_secret() -> None:
    with pytest.raises(UnreachableError), cloned("ssh://git@127.0.0.1:1/x.git", "main"):
        pass


def test_what_git_prints_shows_no_password(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for secret in ("ada:geheim", "ada:an@geheim", "ada:an/geheim", "geheim"):
        assert blanked(f"fatal: https://{secret}@h/x.git gone, a@b") == "fatal: https://***@h/x.git gone, a@b"
    config = tmp_path / "gitconfig"  # a secret that only git knows, and prints when the address does not answer
    config.write_text('[url "http://ada:geheim@127.0.0.1:1/"]\n  insteadOf = https://plant.example/\n')
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(config))
    with pytest.raises(UnreachableError) as caught:
        git("ls-remote", "https://plant.example/x.git")
    assert "geheim" not in str(caught.value)
    assert "127.0.0.1" in str(caught.value)


@pytest.mark.usefixtures("settings")
def test_a_password_that_git_asks_for_reaches_the_host_and_no_argument(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask, log, real = tmp_path / "ask", tmp_path / "arguments", shutil.which("git")
    ask.write_text(f'#!/bin/sh\ncase "$1" in User*) echo {USER} ;; *) echo {PASSWORD} ;; esac\n')
    (tmp_path / "bin").mkdir()
    program = tmp_path / "bin" / "git"
    program.write_text(f'#!/bin/sh\necho "$@" >> {log}\nexec {real} "$@"\n')
    for script in (ask, program):
        script.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"), prepend=os.pathsep)
    for name in ("GIT_ASKPASS", "SSH_ASKPASS"):
        monkeypatch.delenv(name, raising=False)
    place.git("config", "http.receivepack", "true")
    with git_host(place.repository.parent) as url:
        with pytest.raises(InputError, match=r"terminal prompts disabled|could not read Username"):
            push_change(f"{url}/gitops.git", "main", lambda _: Change("notes", "x\n", "Note\n"))
        monkeypatch.setenv("GIT_ASKPASS", str(ask))
        push_change(f"{url}/gitops.git", "main", lambda _: Change("notes", "x\n", "Note\n"))
    assert place.log() == ["Note", "Seed the environment"]
    assert "push --porcelain" in log.read_text()
    assert PASSWORD not in log.read_text()


def test_a_host_that_never_answers_is_given_up_and_no_helper_of_git_waits_on_for_it() -> None:
    with socket.create_server(("127.0.0.1", 0)) as host:
        url = f"http://127.0.0.1:{host.getsockname()[1]}/x.git"
        with pytest.raises(UnreachableError, match=r"^git ls-remote did not end within 2 s$"):
            run_git("ls-remote", "--", url, timeout_s=2)
        asked, _ = host.accept()  # a helper did ask
        asked.settimeout(5)
        while asked.recv(4096):  # until it is gone
            pass
        asked.close()


def test_a_branch_that_is_not_there_is_named_wherever_the_repository_is(place: Place) -> None:
    for repository in (place.repository, place.repository.as_uri()):
        with pytest.raises(InputError, match="other"):
            read_head(repository, "other", FILE)
