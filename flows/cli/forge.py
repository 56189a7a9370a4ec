"""The pull requests of an environment's repository, with a token from where the environment says it is."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from features.errors import InputError
from flows.adapters.github_app import installation_token, is_key
from flows.adapters.pull_requests import PullRequests, Repository, repository_of
from flows.cli.environment import read_token
from flows.environments import Environment

_API, _NAME, _APP = "VIGIA_GITHUB_API", "VIGIA_GITHUB_REPOSITORY", "VIGIA_GITHUB_APP"


@contextmanager
def pull_requests(place: Environment) -> Iterator[PullRequests]:
    """``tokens.pull_request`` holds a token, or a GitHub App's private key; then VIGIA_GITHUB_APP is its client id.

    Address and name come from the repository's URL; VIGIA_GITHUB_API and VIGIA_GITHUB_REPOSITORY say otherwise.
    Raises InputError without a token.
    """
    field = f"{place.name}.tokens.pull_request"
    secret = read_token(place.tokens.pull_request, field)
    if secret is None:
        raise InputError(field, "must say where a token for pull requests is")
    where = _repository(place)
    if is_key(secret):
        app = os.environ.get(_APP, "")
        if not app:
            raise InputError(_APP, f"must hold the client id of the GitHub App whose key {field} is")
        secret = installation_token(where, app, secret)
    with PullRequests(where, secret) as found:
        yield found


def _repository(place: Environment) -> Repository:
    name, api = os.environ.get(_NAME, ""), os.environ.get(_API, "")
    if name and api:
        return Repository(api, name)
    found = repository_of(place.repository)
    return Repository(api or found.api, name or found.name)
