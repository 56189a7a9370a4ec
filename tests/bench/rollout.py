"""`make bench-rollout`: promotions through git on two replicas at 300 requests/s, from commit to last replica."""

import argparse
import statistics
import tempfile
from collections import Counter
from pathlib import Path

from tests.load.ray_service import Setup, running
from tests.load.rollout import Rollouts, prepare, roll_out_under_load
from tests.quality.document import publish

_PROMOTIONS, _PER_S, _QUIET_S, _REPLICAS = 10, 300.0, 10.0, 2
_GOAL_S = 2.0


def main() -> None:
    """Promote, count, print; ``--write`` replaces the figures in docs/promotion.md."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--promotions", type=int, default=_PROMOTIONS)
    parser.add_argument("--write", action="store_true", help="replace the figures in docs/promotion.md")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        place, workspace, refs = prepare(Path(folder), arguments.promotions + 1, _REPLICAS)
        with running(Setup(refs[0], deployment={"num_replicas": _REPLICAS})) as service:
            found = roll_out_under_load(service, place, workspace, refs, per_s=_PER_S, quiet_s=_QUIET_S)
    publish({"rollout": "\n".join(f"- {line}" for line in _lines(found))}, write=arguments.write, to="promotion.md")


def _lines(found: Rollouts) -> list[str]:
    swaps, seen, whole = found.swaps, found.after_seen_s(), found.after_commit_s()
    quiet, during = swaps.slowest_ms()
    failed = Counter(answer.status for answer in swaps.failed)
    how = f" ({', '.join(f'{n} with status {status}' for status, n in failed.items())})" if failed else ""
    return [
        f"{len(seen)} promotions on {_REPLICAS} replicas, {len(swaps.answers):,} requests at {_PER_S:g}/s: "
        f"{len(swaps.failed)} failed{how}, {len(swaps.wrong())} answered by a bundle that was not in service",
        f"from the moment reconcile has seen the commit to the last replica: median {statistics.median(seen):.2f} s, "
        f"longest {max(seen):.2f} s (goal: below {_GOAL_S:g} s)",
        f"from the push of the commit: median {statistics.median(whole):.2f} s, longest {max(whole):.2f} s",
        f"slowest request {during:.0f} ms, before the promotions {quiet:.0f} ms",
    ]


if __name__ == "__main__":
    main()
