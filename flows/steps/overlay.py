"""What the cluster would get of an edited file: the overlay around it, built."""

from dataclasses import replace
from pathlib import Path

from flows.adapters.clone import Clone
from flows.adapters.kustomize import build_overlay, is_overlay
from flows.adapters.scratch import scratch_folder
from flows.promotion.edit import Target, read_leaves, refuse_broken_promise


def refuse_bad_overlay(clone: Clone, target: Target, text: str) -> None:
    """Raise InputError unless the overlay, built with the new text of the target's file, promises the same.

    Without an overlay beside the file, or a program that builds one, there is no question.
    """
    if not is_overlay(clone.names(str(Path(target.file).parent))):
        return
    with scratch_folder("vigia-overlay-") as folder:
        clone.check_out(clone.head, folder)
        edited = folder / target.file
        edited.write_bytes(text.encode())
        built = build_overlay(edited.parent)
    if built is not None:
        place = replace(target, file=f"{Path(target.file).parent} (built)")
        refuse_broken_promise(built, read_leaves(text, target), place)
