"""`vigia publish`: a bundle from the store of one environment to that of another."""

import re

from features.errors import InputError
from features.storage import publish_folder, read_folder
from flows.environments import Environment
from flows.outcome import Outcome
from serving.bundle import open_bundle
from serving.cache import verified

_DIGEST = re.compile(r"(?:sha256:)?([0-9a-f]{64})")


def publish(source: Environment, target: Environment, digest: str) -> Outcome:
    """Copy a bundle by its digest. What is read, and what the target then holds, is held to that digest.

    One that is there already is only checked. Raises InputError when it is not in the source, or is another's content
    in either store; UnreachableError when a store does not answer.
    """
    matched = _DIGEST.fullmatch(digest)
    if matched is None:
        raise InputError("DIGEST", "must be 64 hexadecimal digits", digest)
    digest = matched[1]
    origin, place = (environment.bundle_uri(digest) for environment in (source, target))
    files = verified(read_folder(origin, endpoint=source.endpoint), digest)
    open_bundle(files)
    new = publish_folder(files, place, last="bundle.json", endpoint=target.endpoint)
    verified(read_folder(place, endpoint=target.endpoint), digest)
    what = "copied to" if new else "was already in"
    return Outcome(lines=(("Published", f"sha256:{digest[:12]} {what} {place}"),), digest=digest, figures={"new": new})
