"""The door to GitHub's pull requests, over its REST interface. The token is in no address, log or error."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Self, TypeVar

import httpx
import msgspec

from features.errors import InputError, UnreachableError
from flows.adapters.http_json import refuse_unsendable

Answer = TypeVar("Answer")
_TIMEOUT_S, _TRIES = 20.0, 3
_PLACE = re.compile(r"(?:\w+://)?(?:[^@/]+@)?(?P<host>[^:/]+)(?::\d+)?[:/](?P<name>[^/]+/[^/]+?)(?:\.git)?/?")
State = Literal["open", "closed", "merged"]


@dataclass(frozen=True)
class PullRequest:
    """One pull request; ``state`` closed: without being merged."""

    number: int
    url: str
    state: State
    title: str
    body: str


@dataclass(frozen=True)
class Repository:
    """Where it is: REST address, and owner/name."""

    api: str
    name: str


def repository_of(url: str) -> Repository:
    """The repository behind a URL for git. Raises InputError where that is no host's owner/name."""
    found = _PLACE.fullmatch(url)
    if found is None or url.startswith(("/", "file:")):
        raise InputError("repository", "must be owner/name at a GitHub host for pull requests", url)
    host = found["host"]
    api = "https://api.github.com" if host in ("github.com", "ssh.github.com") else f"https://{host}/api/v3"
    return Repository(api, found["name"])


class PullRequests:
    """Those of one repository."""

    def __init__(self, repository: Repository, token: str) -> None:
        """``token``: a personal one, or one of a GitHub App's installation. Raises InputError for no such text."""
        refuse_unsendable("pull request token", token)
        self._repository = repository
        self._client = httpx.Client(
            base_url=repository.api,
            headers={
                "Authorization": f"Bearer {token}",
                "Accept": "application/vnd.github+json",
                "X-GitHub-Api-Version": "2022-11-28",
            },
            timeout=_TIMEOUT_S,
            follow_redirects=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def of_branch(self, branch: str, base: str) -> tuple[PullRequest, ...]:
        """All from that branch into ``base``, the newest first (of the last hundred)."""
        owner = self._repository.name.partition("/")[0]
        asked = {"head": f"{owner}:{branch}", "base": base, "state": "all", "per_page": "100", "direction": "desc"}
        return tuple(map(_pull_request, self._call("GET", "pulls", list[_Answer], params=asked)))

    def open(self, branch: str, base: str, title: str, body: str) -> PullRequest:
        """A new one."""
        values = {"head": branch, "base": base, "title": title, "body": body, "maintainer_can_modify": True}
        return _pull_request(self._call("POST", "pulls", _Answer, json=values))

    def update(self, number: int, title: str, body: str) -> PullRequest:
        """Other words for an open one."""
        return _pull_request(self._call("PATCH", f"pulls/{number}", _Answer, json={"title": title, "body": body}))

    def _call(self, method: str, path: str, kind: type[Answer], **values: Any) -> Answer:
        return call(self._client, method, f"/repos/{self._repository.name}/{path}", kind, **values)


def call(client: httpx.Client, method: str, path: str, kind: type[Answer], **values: Any) -> Answer:
    """What GitHub answers, as that kind. What only reads is tried three times.

    Raises InputError where token, name or request are not right, UnreachableError where another try may help, or where
    something else than GitHub answers.
    """
    for attempt in range(1, _TRIES + 1):
        try:
            answer = client.request(method, path, **values)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            if method == "GET" and attempt < _TRIES:
                continue
            raise UnreachableError(f"GitHub: {method} {path}: {type(error).__name__}") from error
        if answer.status_code < 400:
            return _understood(answer, kind, f"{method} {path}")
        if answer.status_code < 500 or method != "GET" or attempt == _TRIES:
            break
    raise _trouble(answer, f"{method} {path}")


def _understood(answer: httpx.Response, kind: type[Answer], asked: str) -> Answer:
    try:
        return msgspec.json.decode(answer.content, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise UnreachableError(f"GitHub: {asked}: the answer is not GitHub's ({error})") from error


def _trouble(answer: httpx.Response, asked: str) -> InputError | UnreachableError:
    status, words = answer.status_code, _words(answer)
    said = f"GitHub: {asked}: {status} {words}"
    slower = answer.headers.get("x-ratelimit-remaining") == "0" or "retry-after" in answer.headers
    if status >= 500 or status == 429 or (status == 403 and (slower or "rate limit" in words.lower())):
        return UnreachableError(said)
    if status in (401, 403, 404):
        return InputError("pull request token", f"must be valid for the repository, and write pull requests ({said})")
    return InputError("pull request", said)


def _words(answer: httpx.Response) -> str:
    try:
        found = answer.json()
    except ValueError:
        return answer.text[:200]
    if not isinstance(found, Mapping):
        return answer.text[:200]
    errors = [str(one.get("message", one)) for one in found.get("errors") or [] if isinstance(one, Mapping)]
    return ": ".join([str(found.get("message", "")), *errors])


class _Answer(msgspec.Struct):
    number: int
    html_url: str
    state: str
    title: str
    body: str | None = None
    merged_at: str | None = None


def _pull_request(found: _Answer) -> PullRequest:
    state: State = "merged" if found.merged_at else "open" if found.state == "open" else "closed"
    return PullRequest(found.number, found.html_url, state, found.title, found.body or "")
