"""The words of a promotion's pull request: ours between two marks, and whatever people wrote around them."""

import re

from flows.promotion.message import read_trailers

_BEGIN, _END = "<!-- vigia begins -->", "<!-- vigia ends -->"
_OURS = re.compile(re.escape(_BEGIN) + ".*?" + re.escape(_END), re.DOTALL)


def branch_of(environment: str) -> str:
    """The one branch from which an environment's promotions are proposed."""
    return f"vigia/promote-{environment}"


def return_branch_of(environment: str) -> str:
    """The one branch from which going back to an earlier version is proposed."""
    return f"vigia/revert-{environment}"


def title_of(message: str) -> str:
    """The subject of the commit."""
    return message.partition("\n")[0]


def body_of(message: str, present: str = "") -> str:
    """The rest of the commit's message, trailers and all, in place of what we wrote before; words of others stay."""
    ours = f"{_BEGIN}\n{message.partition(chr(10))[2].strip()}\n{_END}"
    if _OURS.search(present):
        return _OURS.sub(lambda _: ours, present, count=1)
    return f"{present.rstrip()}\n\n{ours}".lstrip()


def proposed_digest(body: str) -> str:
    """The digest that a pull request would promote, "" where its body does not say."""
    return read_trailers(body).get("Bundle-Digest", "")


def left_digest(body: str) -> str:
    """The digest that a pull request would leave, "" where its body does not say."""
    return read_trailers(body).get("Previous-Digest", "")
