"""The command line: parse, wire, call, and say once what happened. Only this package reads the environment."""

import argparse
import json
import os
import sys
import tempfile
import traceback
from collections.abc import Sequence
from pathlib import Path

from features.errors import VigiaError
from flows.exit_codes import ExitCode, exit_code

_DESCRIPTION = "Train, judge, promote and serve anomaly detectors."
_EPILOG = """exit codes: 0 done or nothing to do; 1 bug; 2 input or configuration; 3 refused by a gate; 4 try again later;
5 rollout bad and reverted, or superseded; 6 truths disagree; 10 watch; 11 retrain; 130 interrupted"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    from flows.cli import commands

    arguments = _parser(commands.TABLE).parse_args(argv)
    if arguments.command is None:
        _parser(commands.TABLE).print_help()
        return ExitCode.DONE
    return _run(arguments, commands)
