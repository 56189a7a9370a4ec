"""Cards made by hand: one with everything, one with nothing to tell, and one of a champion's challenger."""

from dataclasses import replace

from evaluation.comparison import FIRST, Comparison
from evaluation.concentration import Concentration
from evaluation.episodes import Episodes
from evaluation.evidence import Figure
from evaluation.gate.evidence import Decision, Reason
from evaluation.intervals import Interval
from evaluation.pages.card.limits import with_limits
from evaluation.pages.card.model import (
    Card,
    Curve,
    DataSummary,
    DriftSummary,
    Driver,
    FeatureDrift,
    Identity,
    InjectedRecall,
    KindRecall,
    ScoreBins,
    SearchHistory,
    SeriesAlerts,
    SeriesCount,
    Threshold,
    Timeline,
    TrialResult,
    WindowSpan,
)
from evaluation.stability import Stability
from serving.manifest import Budget
from tests.evaluation.pages.markup import HOSTILE

ONSETS = Budget("onsets_per_series_day", 0.1, 0.094, 3600.0, exceedances=12, low=0.054, high=0.152)
BY_GROUPS = Interval(0.61, 0.93, 0.95, "cluster bootstrap by groups, 1,000 replicates", 12)
EPISODE = Timeline(
    outcome="detected",
    series="sensor_00016_r",
    kind="looseness",
    start="2026-01-13T15:45:00Z",
    end_h=2.0,
    from_h=-1.0,
    step_h=0.5,
    scores=(0.4, 0.5, None, 9.1, 40.25, 12.0, 0.5, 0.4),
    threshold=5.853,
    alerts=(3, 4, 5),
    delay_h=0.5,
    drivers=(Driver("kurtosis", 0.66, "above"), Driver("high_band_energy_ratio", 0.17, "below")),
)
MISSED = replace(EPISODE, outcome="missed", scores=(0.4,) * 8, alerts=(), delay_h=None, drivers=(), kind="imbalance")
COMPARED = Comparison(
    "inconclusive",
    "these rows cannot tell whether it is worse by more than 0.05",
    "episode recall",
    0.821,
    0.786,
    Interval(-0.106, 0.034, 0.9, "cluster bootstrap by groups, 1,000 replicates", 12),
    39_786,
    120,
)


def decided(outcome: str, *objecting: str) -> Decision:
    """A decision in which some rules do not pass."""
    rules = ("validation", "calibration", "comparison")
    found = tuple(Reason(rule, outcome if rule in objecting else "pass", f"{rule} said so") for rule in rules)  # type: ignore[arg-type]
    return Decision(outcome, outcome != "refuse", found)  # type: ignore[arg-type]


FULL = with_limits(
    Card(
        identity=Identity(
            model="anomaly-detector",
            run="20261123-155240-train-4735",
            digest="4680edb690c38d13" * 4,
            family="isolation_forest",
            parameters={"n_trees": 100, "max_features": 0.75, "extended": False},
            seed=7,
            simulated=True,
            lineage={"data_fingerprint": "ab" * 32, "commit": "00b704b", "run": "said elsewhere"},
        ),
        decision=decided("pass"),
        comparison=FIRST,
        margin=0.05,
        thresholds=(Threshold("mature", 5.853, ONSETS), Threshold("young", 7.3, ONSETS)),
        figures=(
            Figure("alert_rate", 0.0371, "share", BY_GROUPS),
            Figure("episode_recall", 0.8214, "share", BY_GROUPS),
            Figure("median_delay", 300.0, "s", Interval(0.0, 4_200.0, 0.95, "cluster bootstrap by days", 11)),
            Figure("false_onsets", 0.008, "1/day", reason="interval not available"),
            Figure("average_precision", 0.8331, "1", BY_GROUPS),
            Figure("auroc", None, "1", reason="no row has a label"),
        ),
        test_rows=39_786,
        judged_rows=38_607,
        episodes=Episodes(28, 23, 1, 0),
        scores=ScoreBins("log", (0.1, 1.0, 5.853, 120.0), (900, 40, 1), (3, 20, 140), (5, 0, 7)),
        timelines=(EPISODE, MISSED, replace(EPISODE, outcome="false alert", kind="", end_h=0.0)),
        curve=Curve(38_607, 0.063, (0.0, 0.5, 1.0), (1.0, 0.98, 0.063), 0.58, 0.999),
        kinds=(KindRecall("gain", 1, 1), KindRecall("imbalance", 12, 0)),
        injected=(InjectedRecall("offset", 4.0, 0.55), InjectedRecall("offset", 8.0, 0.9)),
        by_series=SeriesAlerts("onsets", 28, 90, 65, (SeriesCount("sensor_00015_z", 2),), 24, 26),
        concentration=Concentration(0.4, 0.6, 90, 60),
        stability=Stability(5, 0.97, 0.95, 0.6, 0.5),
        drivers=(Driver("rms", 0.266), Driver("kurtosis", 0.122)),
        drift=DriftSummary(
            "watch",
            ("kurtosis rose",),
            "values",
            (FeatureDrift("kurtosis", 0.31, 0.26, 0.4, "watch"), FeatureDrift("rms", -0.02, -0.1, 0.06, "ok")),
            1,
            90,
        ),
        search=SearchHistory(
            "best of 3 trials by episode recall",
            "episode recall",
            4,
            (
                TrialResult(0, "linear_autoencoder", {"explained": 0.9}, 0.93, "", False),
                TrialResult(1, "isolation_forest", {"n_trees": 100}, 0.96, "", True),
                TrialResult(2, "isolation_forest", {"n_trees": 400}, None, "it took too long", False),
            ),
        ),
        data=DataSummary(
            uri="fleet://?sensors=30",
            rows=252_798,
            series=90,
            features=("rms", "kurtosis"),
            quarantined=474,
            implausible=772,
            without_history=0,
            at_rest=35_163,
            history_rows=0,
            windows=(
                WindowSpan("reference", 107_887, "2026-01-05T00:00:00Z", "2026-01-10T00:00:00Z", 5_973),
                WindowSpan("selection", 18_734, "2026-01-09T17:25:00Z", "2026-01-11T00:00:00Z", 2_741),
                WindowSpan("calibration", 39_306, "2026-01-11T06:05:00Z", "2026-01-12T23:55:00Z", 2_487),
                WindowSpan("test", 39_786, "2026-01-13T06:00:00Z", "2026-01-14T23:55:00Z", 2_427),
            ),
        ),
        absent={},
    )
)
INCONCLUSIVE = replace(FULL, decision=decided("inconclusive", "comparison"), comparison=COMPARED)
REFUSED = replace(FULL, decision=decided("refuse", "calibration", "comparison"), comparison=COMPARED)
ROWS = Budget("row_rate", 0.01, 0.0098, 3600.0, "the table has no time", 4, 0.002, 0.03)
BARE = with_limits(
    replace(
        FULL,
        identity=replace(FULL.identity, simulated=False, parameters={}, lineage={}),
        thresholds=(Threshold("all", 0.61, ROWS),),
        figures=(Figure("alert_rate", 0.011, "share", reason="interval not available: fewer than 10 groups"),),
        judged_rows=0,
        episodes=None,
        scores=ScoreBins("linear", (0.3, 0.5, 0.7), (0, 0), (0, 0), (40, 2)),
        timelines=(),
        curve=None,
        kinds=(),
        injected=(),
        by_series=SeriesAlerts("alert rows", 0, 1, 1, (), 0, 0),
        concentration=None,
        stability=None,
        drivers=(),
        search=SearchHistory("the default, since there are no labels", "", 0, ()),
        data=replace(
            FULL.data, windows=tuple(WindowSpan(w.name, w.rows, "", "", None) for w in FULL.data.windows), at_rest=0
        ),
        absent={"timelines": "The table has no time.", "curve": "No row has a label.", "kinds": "No kinds are named."},
    )
)
LONG = "x" * 400
FOREIGN = replace(
    REFUSED,
    identity=replace(FULL.identity, lineage={"commit": HOSTILE[0]}),
    decision=Decision("refuse", False, tuple(Reason("leak", "refuse", text) for text in (*HOSTILE, LONG))),
    timelines=tuple(
        replace(EPISODE, series=text, kind=text, drivers=(Driver(LONG, 1.0, "above"),)) for text in HOSTILE
    ),
    kinds=tuple(KindRecall(text, 1, 0) for text in (*HOSTILE, LONG)),
    by_series=replace(FULL.by_series, top=tuple(SeriesCount(text, 3) for text in (*HOSTILE, LONG))),
    drivers=tuple(Driver(text, 0.2) for text in (*HOSTILE, LONG)),
    data=replace(FULL.data, uri=HOSTILE[1], features=(*HOSTILE, LONG)),
)
CASES = {"full": FULL, "inconclusive": INCONCLUSIVE, "refused": REFUSED, "bare": BARE, "foreign": FOREIGN}
