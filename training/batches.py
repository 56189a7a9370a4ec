"""Batches of trials: what makes a search repeat, and go on where a killed one stopped."""

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from ray.tune.search import Searcher

from features.errors import InputError
from training.halving import rungs
from training.proposals import WORTH, decode
from training.trials import Goal, Trial, breach, read_trials, worth, write_trial
from training.worker import Rungs

BATCH = 2  # part of what a seed means: never the number of cores


class Batches:
    """Proposes whole batches, and tells a batch's results in trial order once all of them are in."""

    def __init__(
        self,
        proposer: Searcher,
        planned: int,
        goal: Goal,
        records: Path,
        time_budget_s: float | None,
        on_trial: Callable[[int], None],
    ) -> None:
        self._proposer, self._planned, self._goal, self._on_trial = proposer, planned, goal, on_trial
        self._records, self._recorded = records, read_trials(records)
        spent = max((trial.timings.get("elapsed_s", 0.0) for trial in self._recorded.values()), default=0.0)
        self._started, self._budget_s = time.monotonic() - spent, time_budget_s
        self.trials: dict[int, Trial] = {}
        self._told = 0

    def propose(self) -> list[Trial]:
        """The trials of the next batch that have no record yet; none are left, or no time, where there is none.

        To be called when every trial of the batch before is recorded. Raises InputError for records of another search.
        """
        waiting: list[Trial] = []
        while not waiting:
            self._tell()
            first = self._told
            late = self._budget_s is not None and time.monotonic() - self._started >= self._budget_s
            if first >= self._planned or (late and first and first not in self._recorded):
                break
            for number in range(first, min(first + BATCH, self._planned)):
                proposal = Trial(number, *decode(self._proposer.suggest(str(number))))
                if number in self._recorded:
                    self.trials[number] = _same(self._recorded[number], proposal)
                else:
                    waiting.append(proposal)
        return waiting

    def earlier(self, proposal: Trial) -> Rungs:
        """Losses at each rung of the trials of earlier batches in the family of a proposal."""
        return rungs((self.trials[number] for number in range(self._told)), proposal.family)

    def record(self, proposal: Trial, found: Mapping[str, Any]) -> None:
        """Note what became of a trial: the fields that training.worker tells."""
        trial = replace(proposal, **found)
        elapsed = {"elapsed_s": time.monotonic() - self._started}
        excluded = trial.excluded or ("" if trial.error else breach(trial.figures, self._goal))
        missing = self._goal.figure and not excluded and self._goal.figure not in trial.figures
        wrong = trial.error or (f"measured no {self._goal.figure}" if missing else "")
        trial = replace(trial, timings={**trial.timings, **elapsed}, excluded=excluded, error=wrong)
        write_trial(self._records, trial)
        self.trials[trial.number] = trial
        self._on_trial(len(self.trials))

    def _tell(self) -> None:
        for number in range(self._told, len(self.trials)):
            trial = self.trials[number]
            value = worth(trial, self._goal)
            told = None if value is None else {WORTH: value}
            self._proposer.on_trial_complete(str(number), told, error=bool(trial.error))
        self._told = len(self.trials)


def _same(recorded: Trial, proposal: Trial) -> Trial:
    if (recorded.family, recorded.parameters) != (proposal.family, proposal.parameters):
        rule = "was recorded with other parameters than the search proposes: code, libraries or configuration changed"
        raise InputError("--resume", f"trial {recorded.number} {rule}; train anew")
    return recorded
