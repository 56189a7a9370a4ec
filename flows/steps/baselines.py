"""`vigia baselines refresh`: new sensors join a model without training, by a new bundle with their baselines."""

from dataclasses import asdict, dataclass, replace

import numpy as np

from evaluation.calibration import count_onsets, rate_interval, series_days, usual_period
from evaluation.gate.evidence import Decision, Reason
from features.errors import InputError, NotEnoughDataError
from features.history import scorable
from features.rows import Rows
from features.storage import read_folder, write_text
from flows.adapters.registry import ModelVersion, Registry
from flows.bundles import load_version, place
from flows.config.train import TrainConfig
from flows.environments import Environment
from flows.outcome import Outcome, Progress, RefusedRun
from flows.promotion.admission import CHALLENGER
from flows.runs import fingerprint
from flows.steps.champion import read_lineage
from flows.steps.enlisting import enlist, lineage_json, tags
from flows.steps.fitting import baseline_rules
from flows.steps.gating import refusal
from flows.steps.lineage import LINEAGE, REFRESHED, span, trace
from flows.steps.score import for_bundle
from flows.steps.table import read_checked
from flows.workspace import Workspace
from serving.baselines import BaselineTable, Stratum, locate, make_baselines, read_table
from serving.bundle import Bundle, beside, open_bundle, pack
from serving.scorer import score_rows
from serving.verdict import judge
from training.baselines import fit_baselines, fleet_of, renew

_FITTED_SHARE = 0.75
"""Share of the table's time that baselines are tried on before the rest of it judges them."""
_WORST = 2.0
"""Times the alert budget that the judged rows may certainly exceed."""


@dataclass(frozen=True)
class Trial:
    """Alerts of the last quarter of the table, by baselines of the rows before it, in the unit of the alert budget.

    onsets: runs of alert rows; low, high: 90 % range of the rate, from as many independent events.
    """

    onsets: int
    rate: float
    low: float
    high: float
    limit: float
    unit: str

    @property
    def decision(self) -> Decision:
        """Whether the new baselines may serve. The graph and its thresholds stay, so that only alerts are judged."""
        table = Reason("validation", "pass", "the table passed validation")
        if self.low <= _WORST * self.limit:
            return Decision("pass", True, (table, Reason("alerts", "pass", f"{self}")))
        why = f"{self}, at least {self.low:.4g}: the series changed, or the table holds faults"
        return Decision("refuse", False, (table, Reason("alerts", "refuse", why)))

    def __str__(self) -> str:
        return f"{self.rate:.4g} {self.unit} where {self.limit:g} are budgeted ({self.onsets} onsets)"


def refresh(
    config: TrainConfig,
    registry: Registry,
    version: ModelVersion,
    environment: Environment,
    workspace: Workspace,
    progress: Progress,
) -> Outcome:
    """Fit baselines on the normal rows of ``data.uri`` and register the bundle that has them as challenger.

    The graph, the thresholds and the fleet's own baseline stay. Raises InputError for a bundle without baselines, a
    table without times or one that fails validation, RefusedRun when the new baselines exceed the alert budget: the
    version is registered then, without the alias.
    """
    bundle = load_version(version, environment)
    if bundle.scorer.baselines is None:
        raise InputError("--version", "must be a model with baselines: train with baselines.use=auto", version.version)
    folder = workspace.new_run("baselines")
    with progress.stage("Reading and validating") as stage:
        table = read_checked(for_bundle(config, bundle.manifest, label=config.data.label), folder, workspace.cache)
        rows = table.rows.take(~table.rows.anomalous & table.rows.running)
        if rows.times is None or not config.data.series:
            raise InputError("data.series", "baselines need series and times", config.data.series)
        stage.result(f"{len(rows):,} normal rows")
    files = read_folder(version.uri, endpoint=environment.endpoint)
    before = read_table(files["baselines.parquet"], len(bundle.manifest.features))
    with progress.stage("Trying the new baselines") as stage:
        tried = _try(bundle, before, rows, config)
        stage.result(str(tried))
    renewed = renew(before, fit_baselines(rows, baseline_rules(config), fleet_of(before)))
    packed = pack(bundle.manifest, files["model.onnx"], renewed, beside(files))
    digest = open_bundle(packed).digest
    decision = tried.decision
    with progress.stage("Publishing and registering") as stage:
        with registry.run(version.name, folder.name, {"refreshed_version": version.version}) as run_id:
            made_of = read_lineage(registry, version)
            lineage = trace(
                config.data.uri,
                fingerprint(rows),
                {**({} if made_of is None else made_of.windows), REFRESHED: span(rows, between_series=False)},
                folder,
                run_id=run_id,
                digest=digest,
                before=version.digest,
            )
            pages = [table.page]
            if made_of is not None:  # else nobody knows all of the rows that the model was made of
                write_text(folder / LINEAGE, lineage_json(lineage))
                pages.append(folder / LINEAGE)
            figures = {"rate": tried.rate, "low": tried.low, "high": tried.high}
            registry.log(run_id, figures, pages, tags(lineage, decision, None))
            registry.log_data(run_id, lineage.data, lineage.fingerprint, len(rows))
            made = enlist(registry, version.name, packed, lineage, decision, None, environment)
        stage.result(f"version {made.version}")
    counts = _counts(before, renewed)
    added = f"{counts['added']:,} series and states added, {counts['renewed']:,} renewed, {counts['kept']:,} kept"
    alerts = f"{tried} on the last quarter of the table, 90 % range {tried.low:.3g} to {tried.high:.3g}"
    role = CHALLENGER if decision.registered else "no challenger"
    outcome = Outcome(
        lines=(
            ("Model", f"{made.name} version {made.version} ({role}), bundle sha256:{digest[:12]}"),
            ("Baselines", f"{added}; graph and thresholds are those of version {version.version}"),
            ("Alerts", alerts),
        ),
        next_command=f"promote --env {environment.name} --model {made.name}" if decision.registered else "",
        digest=digest,
        version=made.version,
        run_id=run_id,
        figures={**counts, "trial": asdict(tried), "gate": asdict(decision)},
        paths={"run": str(folder), "bundle": place(made.uri), "validation": str(table.page)},
    )
    if not decision.registered:
        raise RefusedRun(refusal(decision), outcome)
    return outcome


def _try(bundle: Bundle, before: BaselineTable, rows: Rows, config: TrainConfig) -> Trial:
    """Baselines of the first three quarters of the time judge the last one."""
    assert rows.times is not None
    cut = rows.times.min() + _FITTED_SHARE * (rows.times.max() - rows.times.min())
    early, late = rows.take(rows.times < cut), rows.take(rows.times >= cut)
    if not len(early) or not len(late):
        raise NotEnoughDataError("data.uri", "needs rows at more than one time", len(rows))
    table = renew(before, fit_baselines(early, baseline_rules(config), fleet_of(before)))
    scorer = replace(bundle.scorer, baselines=make_baselines(table))
    ready = scorable(late, bundle.scorer.history)
    assert scorer.baselines is not None
    at = locate(scorer.baselines, ready.rows)
    found = judge(bundle.judge, score_rows(scorer, ready, at), scorer.baselines.stratum[at]).alerts
    budget, days = bundle.manifest.budget, series_days(ready.rows, usual_period(rows))
    onsets = count_onsets(found, ready.rows, round(budget.merge_s * 1e6))
    rate, unit = onsets / days, "onsets per series and day"
    if budget.kind == "row_rate":
        rate, unit = float(found.mean()), "alerts a row"
    low, high = (bound * rate / onsets if onsets else bound / len(ready) for bound in rate_interval(onsets, 1.0))
    return Trial(onsets, rate, low, high, budget.limit, unit)


def _counts(before: BaselineTable, after: BaselineTable) -> dict[str, int]:
    had = {key: n for n, key in enumerate(zip(before.series, before.regimes, strict=True))}
    own = [(n, key) for n, key in enumerate(zip(after.series, after.regimes, strict=True)) if key[0]]
    same = sum(key in had and np.array_equal(after.centre[n], before.centre[had[key]]) for n, key in own)
    added = sum(key not in had for _, key in own)
    mature = int((after.stratum == Stratum.MATURE).sum())
    return {"added": added, "renewed": len(own) - added - same, "kept": same, "mature": mature}
