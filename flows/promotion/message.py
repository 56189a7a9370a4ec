"""The commit message of a promotion: a subject for people, a body with reasons, trailers for machines."""

import re
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

SUBJECT = 72
_TRAILER = re.compile(r"^[ \t]*([A-Z][A-Za-z]*(?:-[A-Za-z]+)+|Gate):[ \t]*(\S.*?)\s*$", re.MULTILINE)


@dataclass(frozen=True)
class Facts:
    """What is known of a version beside its coordinates.

    gate: its verdict, "" without; reasons: the gate's; overridden: objections that somebody overrode, forced: among
    them one of the gate; reason: why, in that person's words.
    """

    run_id: str = ""
    fingerprint: str = ""
    code: str = ""
    gate: str = ""
    reasons: tuple[str, ...] = ()
    overridden: tuple[str, ...] = ()
    reason: str = ""
    forced: bool = False


def promotion_message(
    environment: str, bundle: Mapping[str, str], previous: Mapping[str, str], facts: Facts = Facts()
) -> str:
    """Subject of at most 72 characters, what is replaced and why, and one trailer a fact."""
    named = f"{bundle['model']} {bundle['version']} to {environment}"
    subject = subject_line("Promote", named, f"version {bundle['version']} to {environment}")
    before = "nothing: it is the first here"
    if previous.get("digest"):
        before = f"{previous.get('model', '')} version {previous.get('version', '')}".strip()
    body = [f"Replaces {before}."]
    if facts.reason:
        body.append(textwrap.fill(f"Reason: {one_line(facts.reason)}", SUBJECT))
    body += _listed("Overridden:", facts.overridden)
    body += _listed(f"The gate: {facts.gate or 'has not judged this version'}.", facts.reasons)
    verdict = facts.gate or "unknown"
    trailers = {
        "Model-Name": bundle["model"],
        "Model-Version": bundle["version"],
        "Bundle-Digest": bundle["digest"],
        "Previous-Digest": previous.get("digest") or "none",
        "Run-Id": facts.run_id or "unknown",
        "Data-Fingerprint": facts.fingerprint or "unknown",
        "Code-Commit": facts.code or "unknown",
        "Gate": f"{verdict} (overridden)" if facts.forced else verdict,
    }
    return message(subject, body, trailers)


def message(subject: str, body: Sequence[str], trailers: Mapping[str, str]) -> str:
    """Paragraphs, and trailers that no text in the paragraphs can pass for."""
    lines = "\n".join(f"{name}: {one_line(value)}" for name, value in trailers.items())
    return "\n\n".join([subject, *body, lines]) + "\n"


def read_trailers(text: str) -> dict[str, str]:
    """Trailers of a message, the last of each name, wherever a squash or a pull request has moved or indented them."""
    return dict(_TRAILER.findall(text))


def subject_line(verb: str, what: str, shorter: str = "") -> str:
    """``verb what`` in 72 characters; the shorter words where that is too long, and cut where those are."""
    line = f"{verb} {one_line(what)}"
    if len(line) > SUBJECT and shorter:
        line = f"{verb} {one_line(shorter)}"
    return line if len(line) <= SUBJECT else line[: SUBJECT - 1] + "…"


def one_line(text: str) -> str:
    """The text with every run of blanks and line breaks as one blank."""
    return " ".join(text.split())


def _listed(heading: str, items: Sequence[str]) -> list[str]:
    if not items:
        return [heading] if heading.startswith("The gate") else []
    wrapped = (textwrap.fill(one_line(item), SUBJECT, initial_indent="- ", subsequent_indent="  ") for item in items)
    return ["\n".join([heading, *wrapped])]
