"""What the cluster would get of an edited file: the overlay around it, built."""

import tempfile
from pathlib import Path

from flows.adapters.git import Clone
from flows.adapters.kustomize import build_overlay
from flows.promotion.edit import Target, read_leaves, refuse_broken_promise


def refuse_bad_overlay(clone: Clone, file: str, text: str) -> None:
    """Raise InputError unless the overlay, built with the new text of ``file``, promises the same as that text.

    Without an overlay beside the file, or a program that builds one, there is no question.
    """
    with tempfile.TemporaryDirectory() as folder:
        clone.check_out(clone.head, Path(folder))
        edited = Path(folder) / file
        edited.write_bytes(text.encode())
        built = build_overlay(edited.parent)
    if built is not None:
        refuse_broken_promise(built, read_leaves(text, Target(file)), Target(f"{Path(file).parent} (built)"))
