"""`make bench-swap`: twenty bundle changes at 300 requests/s on one replica, from a store that takes 10 s to answer."""

import argparse
import tempfile
import time
from collections import Counter
from pathlib import Path

from tests.load.ray_service import Setup, running
from tests.load.store import store
from tests.load.swap import Swaps, bundles_in, swap_under_load
from tests.quality.document import publish

_CHANGES, _DELAY_S, _PER_S, _QUIET_S = 20, 10.0, 300.0, 20.0
_GOAL_MS = 50.0
_SETTLE_S = 3.0  # HAProxy hears of the first replica a second after it runs; until then Serve's own proxy stands in


def main() -> None:
    """Change, count, print; ``--write`` replaces the figures in docs/speed.md."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--changes", type=int, default=_CHANGES)
    parser.add_argument("--write", action="store_true", help="replace the figures in docs/speed.md")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, store() as place:
        bundles = bundles_in(place, Path(folder), arguments.changes + 1)
        with running(Setup(bundles[0]), place.environment) as service:
            time.sleep(_SETTLE_S)
            place.behave(delay_s=_DELAY_S)
            found = swap_under_load(service, bundles, per_s=_PER_S, quiet_s=_QUIET_S)
    publish({"swap": "\n".join(f"- {line}" for line in _lines(found))}, write=arguments.write, to="speed.md")


def _lines(found: Swaps) -> list[str]:
    quiet, during = found.slowest_ms()
    took = max(change.served - change.asked for change in found.changes)
    failed = Counter(answer.status for answer in found.failed)
    how = f" ({', '.join(f'{n} with status {status}' for status, n in failed.items())})" if failed else ""
    return [
        f"{len(found.changes)} changes, {len(found.answers):,} requests: {len(found.failed)} failed{how}, "
        f"{len(found.wrong())} answered by a bundle that was not in service",
        f"slowest change {took:.1f} s from the PUT until every replica served it, in a store that takes {_DELAY_S:g} s",
        f"slowest request {during:.0f} ms, before the changes {quiet:.0f} ms: {during - quiet:+.0f} ms "
        f"(goal: below +{_GOAL_MS:g} ms)",
    ]


if __name__ == "__main__":
    main()
