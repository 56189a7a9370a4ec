"""The message of a commit that goes back to an earlier version."""

from collections.abc import Mapping

from flows.promotion.message import message, one_line, subject_line
from flows.promotion.observation import Head

ROLLBACK, REVERT = "Roll back", "Revert"
LEFT = "Rolled-Back-Version"
"""Trailer: the version that was left."""


def return_message(verb: str, environment: str, head: Head, to: Mapping[str, str], reason: str) -> str:
    """verb: ROLLBACK by a person, or REVERT on proof. to: coordinates, empty where nothing was promoted before."""
    where = f"to {to['version']}" if to["digest"] else "to nothing"
    shorter = f"version {head.version} in {environment} {where}"
    subject = subject_line(verb, f"{head.model} {head.version} in {environment} {where}", shorter)
    before = f"{to['model']} version {to['version']}" if to["digest"] else "nothing: no version stood before it"
    trailers = {
        "Model-Name": to["model"] or head.model,
        "Model-Version": to["version"] or "none",
        "Bundle-Digest": to["digest"] or "none",
        "Previous-Digest": head.digest,
        LEFT: head.version,
    }
    return message(subject, [f"Back to {before}.", f"Reason: {one_line(reason)}"], trailers)
