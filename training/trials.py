"""Trials as values: what one measured, what rules it out, which is best, and its record in the folder of a run."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from features.errors import InputError, VigiaError
from features.storage import write_text
from training.space import Parameters

_TIE = 1e-3  # less than one episode is worth, up to a thousand episodes


@dataclass(frozen=True)
class Limit:
    """The highest value of a figure with which a trial may be chosen; ``name``: the key that states it."""

    figure: str
    highest: float
    name: str


@dataclass(frozen=True)
class Goal:
    """What ranks trials: the highest ``figure``, among equals the highest ``then``, then the lowest number.

    Without a figure nothing does, and trials make a table without a winner.
    """

    figure: str = ""
    then: str = ""
    limits: tuple[Limit, ...] = ()


@dataclass(frozen=True)
class Measured:
    """Figures that repeat with the seed, and timings, which never do."""

    figures: Mapping[str, float]
    timings: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Trial:
    """One evaluated configuration. ``error``: why it has no figures; ``excluded``: why it may not be chosen.

    Trials are equal whatever their timings.
    """

    number: int
    family: str
    parameters: Parameters
    figures: Mapping[str, float] = field(default_factory=dict)
    timings: Mapping[str, float] = field(default_factory=dict, compare=False)
    error: str = ""
    excluded: str = ""

    @property
    def usable(self) -> bool:
        """Whether it may be chosen."""
        return not self.error and not self.excluded


def breach(figures: Mapping[str, float], goal: Goal) -> str:
    """Which limits the figures break, as a sentence; "" for none. A figure that could not be measured breaks them."""
    return "; ".join(
        f"{figures[limit.figure]:.10g} {limit.figure.replace('_', ' ')}, above {limit.name} = {limit.highest:.10g}"
        if limit.figure in figures
        else f"{limit.figure.replace('_', ' ')} could not be measured, but {limit.name} limits it"
        for limit in goal.limits
        if not figures.get(limit.figure, float("inf")) <= limit.highest
    )


def worth(trial: Trial, goal: Goal) -> float | None:
    """The one number that a search maximises: figure, and a thousandth of what breaks ties; None where there is none.

    Below 0, lower the further beyond its limits, for a trial that breaks them: figures themselves are never negative.
    """
    if trial.error or goal.figure not in trial.figures:
        return None
    if trial.excluded:
        return -1.0 - sum(max(0.0, trial.figures.get(at.figure, 0.0) / at.highest - 1) for at in goal.limits)
    return trial.figures[goal.figure] + _TIE * trial.figures.get(goal.then, 0.0)


def best(trials: Sequence[Trial], goal: Goal) -> Trial:
    """The trial that the goal ranks first, never one that failed or is excluded.

    Raises VigiaError when every trial failed, InputError when limits or early stops leave none.
    """
    usable = [trial for trial in trials if trial.usable]
    if usable:
        return max(usable, key=lambda t: (t.figures[goal.figure], t.figures.get(goal.then, 0.0), -t.number))
    excluded = [trial for trial in trials if trial.excluded]
    if not excluded:
        raise VigiaError(f"all {len(trials)} trials failed; the first: {trials[0].error if trials else 'none ran'}")
    first = excluded[0]
    raise InputError("search", f"no trial may be chosen; trial {first.number} ({first.family}): {first.excluded}")


def write_trial(folder: Path, trial: Trial) -> None:
    """Record a trial in one step: a reader finds all of it or nothing."""
    write_text(folder / f"{trial.number:04d}.json", json.dumps(asdict(trial), indent=2) + "\n")


def read_trials(folder: Path) -> dict[int, Trial]:
    """The recorded trials by number; a record that a crash of the machine cut short is as good as none."""
    found = {}
    for file in sorted(folder.glob("[0-9]*.json")):
        try:
            trial = Trial(**json.loads(file.read_text(encoding="utf-8")))
        except (ValueError, TypeError):
            continue
        found[trial.number] = trial
    return found
