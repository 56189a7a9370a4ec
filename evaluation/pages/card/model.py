"""The model card as a value: every figure that the page shows, computed once, and read back from its JSON as it was."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from evaluation.comparison import Comparison
from evaluation.concentration import Concentration
from evaluation.episodes import Episodes
from evaluation.evidence import Figure
from evaluation.gate.evidence import Decision
from evaluation.intervals import Interval
from evaluation.stability import Stability
from serving.manifest import Budget

FORMAT = 1


@dataclass(frozen=True)
class Identity:
    """Which bundle, and how it came about; parameters: of the detector; lineage: what it was made from, by name."""

    model: str
    run: str
    digest: str
    family: str
    parameters: Mapping[str, int | float | bool]
    seed: int
    simulated: bool
    lineage: Mapping[str, str]


@dataclass(frozen=True)
class Threshold:
    """A threshold, the rows it is for (all, or those whose baseline is mature, young or unseen), and its budget."""

    rows: str
    value: float
    budget: Budget


@dataclass(frozen=True)
class ScoreBins:
    """Test scores counted in k bins of equal width on a linear or logarithmic axis, by what the labels say.

    edges: (k + 1,); a bin holds its left edge; the first threshold is an edge where it lies among the scores.
    """

    scale: Literal["linear", "log"]
    edges: tuple[float, ...]
    normal: tuple[int, ...]
    anomalous: tuple[int, ...]
    unknown: tuple[int, ...]


@dataclass(frozen=True)
class Driver:
    """A feature, its share, 0 to 1, of why something scored high, and on which side of its usual value it is."""

    feature: str
    share: float
    direction: Literal["above", "below", ""] = ""


@dataclass(frozen=True)
class Timeline:
    """Scores of one series about an episode or a run of alert rows; the k-th is the highest of hours
    [from_h + k step_h, from_h + (k + 1) step_h), None where there is no row.

    outcome: detected and missed episodes, false alerts (runs that touch no anomalous row), or alerts where there are
    no labels; start: ISO 8601 of hour 0, the first row of the event; end_h: its last; alerts: which k hold an alert
    row; delay_h: to the first alert row; drivers: of the row with the highest score among the alerts.
    """

    outcome: Literal["detected", "missed", "false alert", "alert"]
    series: str
    kind: str
    start: str
    end_h: float
    from_h: float
    step_h: float
    scores: tuple[float | None, ...]
    threshold: float
    alerts: tuple[int, ...]
    delay_h: float | None
    drivers: tuple[Driver, ...]


@dataclass(frozen=True)
class Curve:
    """Precision at ascending recall on ``rows`` rows of fully labelled spans, and both at the threshold."""

    rows: int
    anomalous_share: float
    recall: tuple[float, ...]
    precision: tuple[float, ...]
    recall_at: float
    precision_at: float | None


@dataclass(frozen=True)
class KindRecall:
    """Episodes of one kind of fault, and how many hold an alert row."""

    kind: str
    episodes: int
    detected: int


@dataclass(frozen=True)
class InjectedRecall:
    """Share of faults of one kind and size, put into test rows, that are detected, and its 95 % interval."""

    kind: str
    size: float
    recall: float
    interval: Interval | None = None


@dataclass(frozen=True)
class SeriesCount:
    """Onsets (alert rows without time) of one series in the test window."""

    series: str
    events: int


@dataclass(frozen=True)
class SeriesAlerts:
    """The series with most events, the others joined; unit: "onsets" or "alert rows"."""

    unit: str
    events: int
    series: int
    silent: int
    top: tuple[SeriesCount, ...]
    rest_series: int
    rest_events: int


@dataclass(frozen=True)
class TrialResult:
    """One trial of the search; value: what ranks it, None where it has none; why: it failed or may not be chosen."""

    number: int
    family: str
    parameters: Mapping[str, int | float | bool]
    value: float | None
    why: str
    chosen: bool


@dataclass(frozen=True)
class SearchHistory:
    """How the configuration was chosen, in a sentence, and the trials; ranked_by: in words, "" where nothing ranks."""

    reason: str
    ranked_by: str
    planned: int
    trials: tuple[TrialResult, ...]


@dataclass(frozen=True)
class WindowSpan:
    """Rows of one window; first, last: ISO 8601, "" without time; anomalous: rows so labelled, None without labels."""

    name: str
    rows: int
    first: str
    last: str
    anomalous: int | None


@dataclass(frozen=True)
class DataSummary:
    """The table and what became of its rows."""

    uri: str
    rows: int
    series: int
    features: tuple[str, ...]
    quarantined: int
    implausible: int
    without_history: int
    at_rest: int
    history_rows: int
    windows: tuple[WindowSpan, ...]


@dataclass(frozen=True)
class FeatureDrift:
    """Shift of a median with its 95 % interval, in robust standard deviations of the reference, and the verdict."""

    feature: str
    shift: float
    low: float
    high: float
    outcome: Literal["ok", "watch", "retrain"]


@dataclass(frozen=True)
class DriftSummary:
    """Test window against reference: verdict by stated limits, reasons worst first, features by the size of their
    shift; seen_as: what was compared, in words; moved: of the ``judged`` series, how many did by themselves."""

    outcome: Literal["ok", "watch", "retrain"]
    reasons: tuple[str, ...]
    seen_as: str
    features: tuple[FeatureDrift, ...]
    moved: int
    judged: int


@dataclass(frozen=True)
class Card:
    """Everything that is known of one bundle when it is judged. What could not be measured is None or empty; absent:
    by section why it is left out; limits: what follows from the figures for its use, one sentence each."""

    identity: Identity
    decision: Decision
    comparison: Comparison
    margin: float
    thresholds: tuple[Threshold, ...]
    figures: tuple[Figure, ...]
    test_rows: int
    judged_rows: int
    episodes: Episodes | None
    scores: ScoreBins
    timelines: tuple[Timeline, ...]
    curve: Curve | None
    kinds: tuple[KindRecall, ...]
    injected: tuple[InjectedRecall, ...]
    by_series: SeriesAlerts
    concentration: Concentration | None
    stability: Stability | None
    drivers: tuple[Driver, ...]
    drift: DriftSummary
    search: SearchHistory
    data: DataSummary
    absent: Mapping[str, str]
    limits: tuple[str, ...] = ()
    format: int = FORMAT

    def figure(self, name: str) -> Figure | None:
        """The figure of that name."""
        return next((figure for figure in self.figures if figure.name == name), None)
