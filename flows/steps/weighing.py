"""A fitted bundle weighed: its figures on the test window, beside the champion's, and what the gate makes of them."""

from collections.abc import Mapping
from dataclasses import dataclass

from evaluation.comparison import Comparison
from evaluation.gate.evidence import Decision
from evaluation.injected_figures import InjectedFigures, judge_injected
from features.history import Scorable
from features.split import Window
from flows.config.train import TrainConfig
from flows.steps.champion import Champion, Trial, hold_against
from flows.steps.fitting import Fitted, normal
from flows.steps.gating import gate
from flows.steps.judging import Judgement, judge_bundle, lost_in_test
from flows.steps.table import CheckedTable
from serving.bundle import Bundle


@dataclass(frozen=True)
class Weighed:
    """judged: the bundle on the test window; comparison: with the champion; injected: faults put into test rows, None
    where no run of rows could take one."""

    judged: Judgement
    comparison: Comparison
    injected: InjectedFigures | None
    decision: Decision


def weigh(
    table: CheckedTable,
    windows: Mapping[Window, Scorable],
    fitted: Fitted,
    bundle: Bundle,
    champion: Champion | None,
    config: TrainConfig,
) -> Weighed:
    """Every figure that a decision may rest on, and the decision."""
    judged = judge_bundle(bundle, fitted, windows, table.lost, config)
    lost = lost_in_test(table.lost, windows[Window.TEST].rows, config)
    trial = Trial(table.rows, bundle, judged.scored, normal(windows[Window.REFERENCE]).rows, lost)
    held = hold_against(champion, trial, config)
    rows = judged.scored.rows.rows
    injected = None if held.injected is None else judge_injected(held.injected, rows, seed=config.seed)
    decision = gate(fitted.files, bundle, judged, held.comparison, champion, table.validation, config.gate)
    return Weighed(judged, held.comparison, injected, decision)
