"""The history of a search: every trial, and the best so far."""

from itertools import accumulate

from evaluation.pages.blocks import Chart, Label, Shape, Table
from evaluation.pages.card.model import SearchHistory, TrialResult
from evaluation.pages.charts.axes import Axis
from evaluation.pages.charts.paths import Point, dots, horizontal, line
from evaluation.pages.figures import count, figure

_ROWS = 12


def draw_trials(search: SearchHistory) -> Chart:
    """Trials with a value, by number; the line is the best that may be chosen so far."""
    shown = [(trial, trial.value) for trial in search.trials if trial.value is not None]
    values = [value for _, value in shown]
    room = 0.08 * (max(values) - min(values)) or 0.05
    y = Axis(min(values) - room, max(values) + room)
    x = Axis(-0.5, max(len(search.trials), 2) - 0.5)

    def place(trial: TrialResult, value: float) -> Point:
        return x.place(trial.number), y.place(value)

    best = list(accumulate((value for trial, value in shown if not trial.why), max))
    at = [trial for trial, _ in shown if not trial.why]
    steps = _steps([place(trial, value) for trial, value in zip(at, best, strict=True)])
    kinds: dict[str, list[Point]] = {"usable": [], "excluded": [], "chosen": []}
    for trial, value in shown:
        kinds["chosen" if trial.chosen else "excluded" if trial.why else "usable"].append(place(trial, value))
    words = {"usable": "trial", "excluded": "may not be chosen", "chosen": "chosen"}
    return Chart(
        title=f"Trials by {search.ranked_by}" if search.ranked_by else "Trials",
        says=_says(search),
        shapes=(
            Shape("grid", "".join(horizontal(label.at) for label in y.labels(4))),
            Shape("best", line(steps)),
            *(Shape(f"dot {kind}", dots(points)) for kind, points in kinds.items() if points),
        ),
        x=tuple(Label(x.place(k), str(k)) for k in _numbers(len(search.trials))),
        y=y.labels(4),
        x_title="trial",
        legend=(*((kind, words[kind]) for kind, points in kinds.items() if points), ("best", "best so far")),
        table=_table(search),
        lines=9,
    )


def _steps(points: list[Point]) -> list[Point | None]:
    steps: list[Point | None] = []
    for point in points:
        if steps and steps[-1] is not None:
            steps.append((point[0], steps[-1][1]))
        steps.append(point)
    return steps


def _numbers(trials: int) -> range:
    return range(0, trials, max(1, -(-trials // 10)))


def _says(search: SearchHistory) -> str:
    ran, failed = len(search.trials), sum(trial.value is None for trial in search.trials)
    planned = f" of {count(search.planned)} planned" if search.planned > ran else ""
    return f"{count(ran)} trials{planned}" + (f", {count(failed)} without a value" if failed else "") + "."


def _table(search: SearchHistory) -> Table:
    """The best trials, whatever may be chosen."""
    ranked = sorted(search.trials, key=lambda t: (not t.chosen, t.value is None, -(t.value or 0.0), t.number))
    rows = tuple(
        (
            str(trial.number),
            trial.family.replace("_", " "),
            figure(trial.value),
            "chosen" if trial.chosen else trial.why,
            ", ".join(f"{name} {figure(value)}" for name, value in trial.parameters.items()),
        )
        for trial in ranked[:_ROWS]
    )
    left = len(ranked) - len(rows)
    caption = "Trials, best first" + (f"; {count(left)} more are in card.json" if left else "")
    return Table(caption, ("trial", "detector", "value", "", "parameters"), rows, (0, 2), folded=True)
