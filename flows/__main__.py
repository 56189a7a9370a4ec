"""`python -m flows`, and the console script `vigia`."""

import sys

from flows.cli.main import main as _main


def main() -> None:
    """Exit with the code of the command."""
    sys.exit(_main())


if __name__ == "__main__":
    main()
