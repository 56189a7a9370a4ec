"""The commit message of a promotion: a subject for people, trailers for machines."""

from collections.abc import Mapping


def promotion_message(environment: str, bundle: Mapping[str, str], previous: Mapping[str, str], run_id: str) -> str:
    """Subject of at most 72 characters, and one trailer a fact."""
    subject = f"Promote {bundle['model']} {bundle['version']} to {environment}"
    if len(subject) > 72:
        subject = f"Promote version {bundle['version']} to {environment}"
    before = f"version {previous['version']}" if previous.get("digest") else "nothing"
    trailers = {
        "Model-Name": bundle["model"],
        "Model-Version": bundle["version"],
        "Bundle-Digest": bundle["digest"],
        "Previous-Digest": previous.get("digest") or "none",
        "Run-Id": run_id,
    }
    lines = "\n".join(f"{name}: {value}" for name, value in trailers.items())
    return f"{subject}\n\nReplaces {before}.\n\n{lines}\n"
