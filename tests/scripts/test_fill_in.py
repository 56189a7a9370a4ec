"""scripts/fill-in.sh: whose repository the manifests are, in tracked files, shown before it is committed."""

import re

from tests.scripts.conftest import Bench

OURS = re.compile(r"github\.com[:/]FILL-IN|ghcr\.io/FILL-IN|[Cc]ontact: FILL-IN")


def leftovers(bench: Bench) -> list[str]:
    """Lines that still wait for the owner's name."""
    return [
        line
        for line in bench.git("grep", "-n", "FILL-IN", "--", "manifests", "configs").splitlines()
        if OURS.search(line)
    ]


def test_the_remote_origin_says_whose_it_is(fresh: Bench) -> None:
    assert leftovers(fresh)
    done = fresh.run("fill-in.sh")
    assert done.returncode == 0, done.stderr
    assert not leftovers(fresh)
    files = fresh.git("diff", "--name-only").split()
    assert {"manifests/argocd/app-minikube.yaml", "manifests/overlays/minikube/kustomization.yaml"} <= set(files)
    assert "newName: ghcr.io/acme/vigia-serve" in done.stdout  # registries know small letters only
    assert "repoURL: git@github.com:Acme/anomaly-detection-system.git" in done.stdout
    assert "contact: https://github.com/Acme" in done.stdout


def test_only_lines_that_hold_the_placeholder_change(fresh: Bench) -> None:
    fresh.run("fill-in.sh", "--contact", "ops@acme.example")
    changes = re.findall(r"(?m)^-(?!--)(.*)$", fresh.git("diff", "--unified=0"))
    assert changes
    assert all("FILL-IN" in line for line in changes)
    assert "value: ops@acme.example" in fresh.git("diff", "--", "manifests/argocd/app-minikube.yaml")


def test_it_shows_the_difference_and_commits_nothing(fresh: Bench) -> None:
    head = fresh.git("rev-parse", "HEAD")
    done = fresh.run("fill-in.sh")
    assert "+    repoURL: git@github.com:Acme/" in done.stdout
    assert "git commit --message" in done.stderr
    assert fresh.git("rev-parse", "HEAD") == head


def test_files_with_changes_of_ones_own_are_refused_and_left_alone(fresh: Bench) -> None:
    file = fresh.checkout / "manifests/argocd/app-minikube.yaml"
    mine = file.read_text().replace("main", "my-branch")
    file.write_text(mine)
    done = fresh.run("fill-in.sh")
    assert done.returncode == 2
    assert "commit or undo your changes first: manifests/argocd/app-minikube.yaml" in done.stderr
    assert file.read_text() == mine
    assert fresh.git("diff", "--name-only").split() == ["manifests/argocd/app-minikube.yaml"]


def test_a_second_run_does_nothing(fresh: Bench) -> None:
    fresh.run("fill-in.sh")
    before = fresh.git("diff")
    done = fresh.run("fill-in.sh")
    assert done.returncode == 0
    assert "nothing to fill in: the manifests name Acme/anomaly-detection-system" in done.stderr
    assert fresh.git("diff") == before


def test_another_repository_than_the_one_filled_in_is_refused(fresh: Bench) -> None:
    fresh.run("fill-in.sh", "--repo", "Acme/anomaly-detection-system")
    done = fresh.run("fill-in.sh", "--repo", "Other/fork")
    assert done.returncode == 2
    assert "name Acme/anomaly-detection-system already, not Other/fork" in done.stderr


def test_addresses_of_every_form_are_understood(fresh: Bench) -> None:
    for address in (
        "https://github.com/Acme/vigia",
        "https://someone@github.com/Acme/vigia.git",
        "ssh://git@github.com/Acme/vigia.git",
        "git@github.com:Acme/vigia.git",
    ):
        fresh.git("remote", "set-url", "origin", address)
        assert "git@github.com:Acme/vigia.git" in fresh.run("fill-in.sh").stdout, address
        fresh.git("checkout", "--quiet", ".")


def test_what_is_no_repository_is_refused_before_anything_changes(fresh: Bench) -> None:
    fresh.git("remote", "remove", "origin")
    for arguments in ((), ("--repo", "nonsense"), ("--repo", "a/b", "--contact", "x y"), ("--repo", "a/b#d\\e")):
        done = fresh.run("fill-in.sh", *arguments)
        assert done.returncode == 2, arguments
    assert fresh.git("diff") == ""


def test_check_only_says_whether_there_is_anything_to_fill_in(fresh: Bench) -> None:
    assert fresh.run("fill-in.sh", "--check").returncode == 3
    assert fresh.git("diff") == ""
    fresh.run("fill-in.sh")
    assert fresh.run("fill-in.sh", "--check").returncode == 0


def test_a_copy_without_a_remote_needs_none_once_it_is_filled_in(fresh: Bench) -> None:
    fresh.run("fill-in.sh")
    fresh.git("remote", "remove", "origin")
    assert fresh.run("fill-in.sh").returncode == 0
