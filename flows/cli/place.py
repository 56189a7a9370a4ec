"""The workspace of a command, and the options that bring another command to the same place."""

import argparse
import shlex

WORKSPACE = ".vigia"


def same_place(arguments: argparse.Namespace) -> str:
    """The options by which a later command looks where this one did, as a shell takes them; "" for the usual place."""
    environments = getattr(arguments, "environments", None)
    words = ["--environments", str(environments)] if environments else []
    words += ["--workspace", arguments.workspace] if arguments.workspace != WORKSPACE else []
    return shlex.join(words)
