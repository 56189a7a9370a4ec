"""Batches of trials: what makes a search repeat, and go on where a killed one stopped."""

import json
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from ray.tune.search import Searcher

from features.errors import InputError
from training.halving import rungs
from training.proposals import WORTH, decode
from training.trials import Goal, Trial, breach, read_trials, worth, write_trial

BATCH = 2  # part of what a seed means: never the number of cores
RECORD = "record"
"""Name of the one result of a trial: JSON of the fields of a Trial that a worker knows."""


class Batches(Searcher):  # type: ignore[misc]  # Ray has no types
    """Hands out whole batches, and tells a batch's results in trial order once all of them are in.

    ConcurrencyLimiter alone takes a trial that ends before the next is proposed for a batch of its own.
    """

    def __init__(
        self,
        proposer: Searcher,
        planned: int,
        goal: Goal,
        records: Path,
        time_budget_s: float | None,
        on_trial: Callable[[int], None],
    ) -> None:
        super().__init__()
        self._proposer, self._planned, self._goal, self._on_trial = proposer, planned, goal, on_trial
        self._records, self._recorded = records, read_trials(records)
        spent = max((trial.timings.get("elapsed_s", 0.0) for trial in self._recorded.values()), default=0.0)
        self._started, self._budget_s = time.monotonic() - spent, time_budget_s
        self.trials: dict[int, Trial] = {}
        self.late = False  # the time budget ended the search
        self._told = 0
        self._waiting: list[Trial] = []
        self._running: dict[str, Trial] = {}

    def propose(self) -> bool:
        """Have trials waiting to be run; False where none is left, or no time. Recorded trials are not run again."""
        while not self._waiting:
            for number in range(self._told, len(self.trials)):
                trial = self.trials[number]
                value = worth(trial, self._goal)
                told = None if value is None else {WORTH: value}
                self._proposer.on_trial_complete(str(number), told, error=bool(trial.error))
            self._told = first = len(self.trials)
            late = self._budget_s is not None and time.monotonic() - self._started >= self._budget_s
            self.late = late and 0 < first < self._planned and first not in self._recorded
            if self.late or first >= self._planned:
                return False
            for number in range(first, min(first + BATCH, self._planned)):
                proposal = Trial(number, *decode(self._proposer.suggest(str(number))))
                if number in self._recorded:
                    self.trials[number] = _same(self._recorded[number], proposal)
                else:
                    self._waiting.append(proposal)
        return True

    def suggest(self, trial_id: str) -> dict[str, Any] | str | None:
        """The next trial of the batch; None while the batch runs."""
        if not self._waiting and (self._running or not self.propose()):
            return None if self._running else str(Searcher.FINISHED)
        proposal = self._running[trial_id] = self._waiting.pop(0)
        earlier = [self.trials[number] for number in range(self._told)]
        known = sorted(rungs(earlier, proposal.family).items())
        return {"proposal": {"name": proposal.family, "parameters": proposal.parameters, "earlier": known}}

    def on_trial_complete(self, trial_id: str, result: dict[str, Any] | None = None, error: bool = False) -> None:
        """Record what a worker returned."""
        proposal = self._running.pop(trial_id)
        found: dict[str, Any] = {"error": "its worker died, three times"}
        if not error and result and RECORD in result:
            found = json.loads(result[RECORD])
        trial = replace(proposal, **found)
        elapsed = {"elapsed_s": time.monotonic() - self._started}
        excluded = trial.excluded or ("" if trial.error else breach(trial.figures, self._goal))
        missing = self._goal.figure and not excluded and self._goal.figure not in trial.figures
        wrong = trial.error or (f"measured no {self._goal.figure}" if missing else "")
        trial = replace(trial, timings={**trial.timings, **elapsed}, excluded=excluded, error=wrong)
        write_trial(self._records, trial)
        self.trials[trial.number] = trial
        self._on_trial(len(self.trials))

    def on_trial_result(self, trial_id: str, result: dict[str, Any]) -> None:
        """Nothing: a trial has one result."""

    def save(self, checkpoint_path: str) -> None:
        """Nothing: the records are the state."""

    def __getstate__(self) -> dict[str, Any]:
        return {}  # Tune keeps a copy of its searcher, which nobody reads


def _same(recorded: Trial, proposal: Trial) -> Trial:
    if (recorded.family, recorded.parameters) != (proposal.family, proposal.parameters):
        rule = "was recorded with other parameters than the search proposes: code, libraries or configuration changed"
        raise InputError("--resume", f"trial {recorded.number} {rule}; train anew")
    return recorded
