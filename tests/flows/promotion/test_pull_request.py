"""`vigia promote --pull-request` against a fake GitHub and a real repository."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from features.errors import InputError, RefusedError, RolloutError, UnreachableError
from flows.adapters.github_app import installation_token
from flows.adapters.pull_requests import PullRequests, Repository, repository_of
from flows.promotion.admission import Overrides
from flows.promotion.edit import read_leaves
from flows.promotion.message import read_trailers
from flows.steps.history import read_history
from flows.steps.promote import promote
from flows.steps.pull_request import propose_promotion
from tests.fakes.github import NAME, TOKEN, GitHub, github
from tests.fakes.protected import protect
from tests.flows.promotion.place import FILE, Place, run_in
from tests.flows.test_http_json import server

BRANCH = "vigia/promote-local"
NONE, FORCE = Overrides(), Overrides(force=True, reason="they agreed")
AS = ("-c", "user.name=reviewer", "-c", "user.email=reviewer@localhost")


@pytest.fixture
def hub() -> Iterator[GitHub]:
    """Without pull requests."""
    with github() as found:
        yield found


def go(place: Place, hub: GitHub, overrides: Overrides = NONE, token: str = TOKEN) -> str:
    """Propose the challenger, and what the last screen says of it."""
    with PullRequests(Repository(hub.url, NAME), token) as forge:
        done = propose_promotion(place.environment, place.registry, forge, place.model, None, overrides)
    return done.lines[0][1]


def digests(place: Place, branch: str) -> list[str]:
    """What a branch names now, and named before."""
    leaves = read_leaves(place.git("show", f"{branch}:{FILE}"))
    return [leaves[(section, "digest")] for section in ("bundle", "previous")]


@contextmanager
def checkout(place: Place, folder: Path, branch: str) -> Iterator[Path]:
    """Somebody's clone on that branch, pushed at the end."""
    run_in(folder, "clone", "--quiet", "--branch", branch, str(place.repository), "theirs")
    yield folder / "theirs"
    run_in(folder / "theirs", "push", "--quiet", "--force", "origin", f"HEAD:{branch}")


def test_it_opens_one_and_promotes_nothing(place: Place, hub: GitHub) -> None:
    made = place.register(1)
    assert go(place, hub) == f"opened pull request #1, not promoted: https://github.com/{NAME}/pull/1"
    assert place.log() == ["Seed the environment"]
    assert digests(place, BRANCH)[0] == made.digest
    pull = hub.pulls[1]
    assert (pull["head"], pull["base"], pull["title"]) == (BRANCH, "main", f"Promote {place.model} 1 to local")
    assert read_trailers(pull["body"])["Bundle-Digest"] == made.digest
    assert "quality: better" in pull["body"]


def test_again_changes_nothing(place: Place, hub: GitHub) -> None:
    place.register(1)
    go(place, hub)
    tip = place.git("rev-parse", BRANCH)
    hub.log.clear()
    assert go(place, hub).startswith("there is already pull request #1, not promoted")
    assert place.git("rev-parse", BRANCH) == tip
    assert hub.log == [f"GET /repos/{NAME}/pulls"]


def test_a_later_version_takes_over_the_open_one_and_words_of_people_stay(place: Place, hub: GitHub) -> None:
    place.register(1)
    go(place, hub)
    hub.pulls[1]["body"] = "Please wait for Ana.\n\n" + hub.pulls[1]["body"] + "\n\nApproved by Rui."
    made = place.register(2)
    assert go(place, hub).startswith("updated pull request #1")
    body = hub.pulls[1]["body"]
    assert body.startswith("Please wait for Ana.")
    assert body.endswith("Approved by Rui.")
    assert read_trailers(body)["Bundle-Digest"] == made.digest
    assert body.count("Bundle-Digest") == 1
    assert place.git("rev-list", "--count", f"main..{BRANCH}").strip() == "1"


def test_a_base_that_moved_is_built_upon(place: Place, hub: GitHub) -> None:
    place.register(1)
    go(place, hub)
    place.commit(FILE, place.text().replace("num_replicas: 1", "num_replicas: 2"), "scale")
    go(place, hub)
    assert "num_replicas: 2" in place.git("show", f"{BRANCH}:{FILE}")
    assert place.git("merge-base", "main", BRANCH) == place.git("rev-parse", "main")


def test_an_edit_by_hand_is_not_written_over_without_force(place: Place, hub: GitHub, tmp_path: Path) -> None:
    place.register(1)
    go(place, hub)
    with checkout(place, tmp_path, BRANCH) as theirs:
        (theirs / FILE).write_text((theirs / FILE).read_text().replace("num_replicas: 1", "num_replicas: 3"))
        run_in(theirs, *AS, "commit", "--quiet", "--all", "--message=three replicas")
    place.register(2)
    with pytest.raises(RolloutError, match=r"vigia/promote-local was edited by hand \(\w{12} by reviewer\)"):
        go(place, hub)
    assert "num_replicas: 3" in place.git("show", f"{BRANCH}:{FILE}")
    go(place, hub, FORCE)
    assert "num_replicas: 1" in place.git("show", f"{BRANCH}:{FILE}")


def test_one_that_was_brought_up_to_date_by_a_merge_is_still_ours(place: Place, hub: GitHub, tmp_path: Path) -> None:
    place.register(1)
    go(place, hub)
    place.commit("README", "more\n", "something else")
    with checkout(place, tmp_path, BRANCH) as theirs:
        run_in(theirs, *AS, "merge", "--quiet", "--no-edit", "origin/main")
    made = place.register(2)
    go(place, hub)
    assert digests(place, BRANCH)[0] == made.digest


def test_what_somebody_closed_is_not_opened_again_without_force(place: Place, hub: GitHub) -> None:
    place.register(1)
    go(place, hub)
    hub.pulls[1]["state"] = "closed"
    with pytest.raises(RefusedError, match="somebody closed #1 for version 1 without merging it"):
        go(place, hub)
    assert go(place, hub, FORCE).startswith("opened pull request #2")


def test_another_version_after_a_closed_one_is_opened(place: Place, hub: GitHub) -> None:
    place.register(1)
    go(place, hub)
    hub.pulls[1]["state"] = "closed"
    place.register(2)
    assert go(place, hub).startswith("opened pull request #2")


MERGES = {
    "merge": ("merge", "--quiet", "--no-ff", "--message=Merge pull request #1", f"origin/{BRANCH}"),
    "squash": ("merge", "--quiet", "--squash", f"origin/{BRANCH}"),
    "rebase": ("cherry-pick", f"origin/{BRANCH}"),
}


@pytest.mark.parametrize("how", MERGES)
def test_however_it_is_merged_it_is_promoted_and_history_knows(
    place: Place, hub: GitHub, tmp_path: Path, how: str
) -> None:
    made = place.register(1)
    go(place, hub)
    place.commit("README", "more\n", "something else")
    with checkout(place, tmp_path, "main") as theirs:
        run_in(theirs, *AS, *MERGES[how])
        if how == "squash":
            message = f"{hub.pulls[1]['title']} (#1)\n\n{hub.pulls[1]['body']}"
            run_in(theirs, *AS, "commit", "--quiet", "--message", message)
    assert go(place, hub) == "version 1 is already there; nothing to do"
    assert "already there" in promote(place.environment, place.registry, place.model, None).lines[0][1]
    (entry,) = read_history(place.environment)
    assert (entry.digest, entry.version, entry.run_id, entry.gate) == (made.digest, "1", "run-1", "pass")
    assert not entry.by_hand


def test_one_edited_by_hand_before_its_merge_counts_by_what_the_file_says(
    place: Place, hub: GitHub, tmp_path: Path
) -> None:
    place.register(1)
    go(place, hub)
    with checkout(place, tmp_path, "main") as theirs:
        run_in(theirs, *AS, *MERGES["rebase"])
        text = (theirs / FILE).read_text()
        (theirs / FILE).write_text(text.replace(read_leaves(text)[("bundle", "digest")], "d" * 64))
        run_in(theirs, *AS, "commit", "--quiet", "--all", "--amend", "--no-edit")
    (entry,) = read_history(place.environment)
    assert (entry.digest, entry.by_hand) == ("d" * 64, True)


def test_a_protected_branch_refuses_a_push_and_takes_a_pull_request(place: Place, hub: GitHub) -> None:
    protect(place.repository)
    place.register(1)
    with pytest.raises(RefusedError, match=r"refuses a push to main \(hook declined\): changes need a pull request"):
        promote(place.environment, place.registry, place.model, None)
    assert go(place, hub).startswith("opened pull request #1")


def test_a_token_that_is_no_good_is_an_input_error_that_does_not_show_it(place: Place, hub: GitHub) -> None:
    place.register(1)
    with pytest.raises(InputError, match="401 Bad credentials") as caught:
        go(place, hub, token="ghp_secret")
    assert "ghp_secret" not in str(caught.value)
    assert "ghp_secret" in hub.bearers


def test_a_server_in_trouble_is_asked_three_times_and_then_worth_another_run(place: Place, hub: GitHub) -> None:
    place.register(1)
    hub.failures += [502, 503]
    assert go(place, hub).startswith("opened")
    hub.failures += [502] * 3
    with pytest.raises(UnreachableError, match="502 said the server"):
        go(place, hub)


@pytest.mark.parametrize("body", [b"<html>", b"[{}]", b"{}", b'"x"', b""])
def test_what_something_else_than_github_answers_is_worth_another_try_and_no_bug(body: bytes) -> None:
    refused = pytest.raises(UnreachableError, match=r"GET /repos/.*/pulls: the answer is not GitHub's")
    with server(200, body=body) as (url, _), PullRequests(Repository(url, NAME), TOKEN) as forge, refused:
        forge.of_branch(BRANCH, "main")


@pytest.mark.parametrize("said", [b'{"message": "You have exceeded a secondary rate limit"}', b"[]"])
def test_asking_too_often_is_no_fault_of_the_token(said: bytes) -> None:
    kind = UnreachableError if b"rate" in said else InputError
    refused = pytest.raises(kind, match=r"GitHub: GET .* 403 ")
    with server(403, body=said) as (url, _), PullRequests(Repository(url, NAME), TOKEN) as forge, refused:
        forge.of_branch(BRANCH, "main")


def test_a_token_of_two_lines_is_refused_and_not_shown() -> None:
    with pytest.raises(InputError, match="one line of printable ASCII") as caught:
        PullRequests(Repository("http://127.0.0.1:1", NAME), "ghp_secret\nghp_other")
    assert "ghp_" not in str(caught.value)


def test_a_run_that_ended_between_push_and_opening_is_completed_by_the_next(place: Place, hub: GitHub) -> None:
    place.register(1)
    hub.failures += [0, 500]
    with pytest.raises(UnreachableError, match=r"POST .* 500"):
        go(place, hub)
    tip = place.git("rev-parse", BRANCH)
    assert go(place, hub).startswith("opened pull request #1")
    assert place.git("rev-parse", BRANCH) == tip


def test_a_github_app_gets_a_token_by_its_key(hub: GitHub) -> None:
    key = generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    assert installation_token(Repository(hub.url, NAME), "Iv1.app", pem) == "ghs_installed"
    assert hub.log == [f"GET /repos/{NAME}/installation", "POST /app/installations/42/access_tokens"]
    assert hub.bearers[0].count(".") == 2
    with pytest.raises(InputError, match="private RSA key"):
        installation_token(Repository(hub.url, NAME), "Iv1.app", "-----BEGIN NOTHING-----")


@pytest.mark.parametrize(
    ("url", "api", "name"),
    [
        ("git@github.com:ada/gitops.git", "https://api.github.com", "ada/gitops"),
        ("https://github.com/ada/gitops", "https://api.github.com", "ada/gitops"),
        ("ssh://git@ssh.github.com:443/ada/gitops.git", "https://api.github.com", "ada/gitops"),
        ("https://git.plant.example/ada/gitops.git", "https://git.plant.example/api/v3", "ada/gitops"),
    ],
)
def test_the_repository_is_known_by_its_url(url: str, api: str, name: str) -> None:
    assert repository_of(url) == Repository(api, name)


@pytest.mark.parametrize("url", ["/srv/gitops.git", "file:///srv/gitops.git", "git@github.com:gitops.git"])
def test_a_repository_without_a_host_has_no_pull_requests(url: str) -> None:
    with pytest.raises(InputError, match="must be owner/name at a GitHub host"):
        repository_of(url)
