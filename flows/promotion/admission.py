"""Whether a version may be promoted now: what is known in, every objection out with the way past it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from flows.promotion.hold import Hold

CHALLENGER = "challenger"
"""Alias of the version that training registered last; whoever sets it vouches that it may be promoted."""
GATE, GATE_REASONS = "gate", "gate_reasons"
"""Tags of a model version: the gate's verdict (pass, inconclusive, refuse or first), and why, one reason a line."""
ADMITTED = ("pass", "first")
Way = Literal["force", "schema change", "unseen cluster", ""]


def rolled_back_tag(environment: str) -> str:
    """Tag of a version that was rolled away from in an environment; says why."""
    return f"rolled_back_{environment}"


@dataclass(frozen=True)
class Requests:
    """What those who ask a bundle must send: features in order, and past rows."""

    features: tuple[str, ...]
    past_rows: int = 0


@dataclass(frozen=True)
class Evidence:
    """gate: the verdict, "" where there was none; challenger: whether it has that alias; rolled_back: why, or "".

    needs: what the version asks of requests; served: what the one that git names does, None where nothing is promoted;
    unreadable: why that one cannot be told, or ""; hold: on the environment; upgrade: of the cluster, "" for none;
    unseen: why nobody can say whether there is one, or "".
    """

    version: str
    environment: str
    gate: str
    challenger: bool
    needs: Requests
    served: Requests | None = None
    unreadable: str = ""
    rolled_back: str = ""
    hold: Hold | None = None
    upgrade: str = ""
    unseen: str = ""


@dataclass(frozen=True)
class Objection:
    """Why not. ``way``: what overrides it, "" for nothing."""

    sentence: str
    way: Way = ""

    def __str__(self) -> str:
        options = {"force": "--force --reason", "schema change": "--schema-change"}
        options |= {"unseen cluster": "--unseen-cluster"}
        return f"{self.sentence} ({options[self.way]} overrides)" if self.way else self.sentence


@dataclass(frozen=True)
class Overrides:
    """What somebody takes upon themselves. ``reason``: why, written into the commit."""

    force: bool = False
    schema_change: bool = False
    reason: str = ""
    unseen_cluster: bool = False

    def cover(self, objection: Objection) -> bool:
        """Whether the objection is overridden."""
        given = {"force": self.force, "schema change": self.schema_change, "unseen cluster": self.unseen_cluster}
        return given.get(objection.way, False)


def objections(evidence: Evidence) -> tuple[Objection, ...]:
    """Everything that speaks against it."""
    return tuple(_objections(evidence))


def _objections(found: Evidence) -> Iterator[Objection]:
    place, version = found.environment, f"version {found.version}"
    if found.hold:
        yield Objection(f"{place} is on hold {found.hold}; `vigia hold {place} --release` ends that")
    if found.upgrade:
        yield Objection(f"the cluster of {place} is being upgraded ({found.upgrade}); a promotion waits for its end")
    if found.unseen:
        yield Objection(f"nobody can say whether the cluster is being upgraded: {found.unseen}", "unseen cluster")
    if found.gate == "refuse":
        yield Objection(f"the gate refused {version}", "force")
    elif found.gate not in ADMITTED and not found.challenger:
        verdict = f"the gate was {found.gate} about" if found.gate else "no gate has judged"
        yield Objection(f"{verdict} {version}, and it is not the challenger", "force")
    if found.rolled_back:
        yield Objection(f"{place} was rolled back from {version}: {found.rolled_back}", "force")
    if found.unreadable:
        yield Objection(f"what requests carry now cannot be told: {found.unreadable}", "schema change")
    elif found.served and found.served != found.needs:
        yield Objection(f"those who ask must change with it: {_difference(found.served, found.needs)}", "schema change")


def _difference(old: Requests, new: Requests) -> str:
    added = [name for name in new.features if name not in old.features]
    gone = [name for name in old.features if name not in new.features]
    told = [f"{what} {', '.join(names)}" for what, names in (("new features", added), ("without", gone)) if names]
    if old.features != new.features and not told:
        told = [f"features in the order {', '.join(new.features)}"]
    if old.past_rows != new.past_rows:
        told.append(f"{new.past_rows} past rows instead of {old.past_rows}")
    return "; ".join(told)
