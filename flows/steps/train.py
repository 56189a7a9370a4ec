"""`vigia train`: data -> validated rows -> search -> bundle -> judged -> registered challenger, if the gate lets it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from evaluation.drift.page import About
from evaluation.pages.card.render import CARD_PAGE, write_card
from features.history import Scorable
from features.split import Window
from flows.adapters.registry import ModelVersion, registry_of
from flows.bundles import place
from flows.config.loading import load_config
from flows.config.train import TrainConfig
from flows.environments import Environment
from flows.outcome import Outcome, Progress, RefusedRun
from flows.promotion.admission import CHALLENGER
from flows.runs import CONFIG, begin, finish, holding, resumable, settle
from flows.steps.card import make_card
from flows.steps.champion import find_champion
from flows.steps.drift import report_rows
from flows.steps.findings import Findings, figures
from flows.steps.fitting import fit_bundle, normal
from flows.steps.gating import gate_rules, refusal
from flows.steps.lineage import spans, trace
from flows.steps.recording import record
from flows.steps.screen import screen
from flows.steps.table import read_checked
from flows.steps.weighing import weigh
from flows.steps.windows import cut_windows
from flows.workspace import Workspace
from serving.bundle import Bundle, open_bundle


def train(
    config: TrainConfig, environment: Environment, workspace: Workspace, progress: Progress, ray: Path
) -> Outcome:
    """Run the whole job for an environment. The challenger alias moves last: what is interrupted leaves no half.

    ``ray``: private folder for Ray's session. Raises the errors of features.errors; what a run wrote stays there, for
    ``resume``.
    """
    folder = workspace.new_run("train")
    with holding(folder), resumable(folder):
        begin(folder, yaml.safe_dump(config.model_dump(mode="json"), sort_keys=False), environment.name)
        return _train(config, environment, folder, workspace, progress, ray)


def resume(folder: Path, environment: Environment, workspace: Workspace, progress: Progress, ray: Path) -> Outcome:
    """Finish the unfinished run in that folder, with its own configuration, for the environment it began for.

    Trials that have ended are not run again. Raises InputError where its table has changed.
    """
    with holding(folder), resumable(folder):
        progress.say(f"Resuming run {folder.name}")
        config = load_config(TrainConfig, folder / CONFIG)
        return _train(config, environment, folder, workspace, progress, ray)


def _train(
    config: TrainConfig, environment: Environment, folder: Path, workspace: Workspace, progress: Progress, ray: Path
) -> Outcome:
    with progress.stage("Reading and validating") as stage:
        table = read_checked(config, folder, workspace.cache)
        stage.result(f"{len(table.rows):,} rows, {table.validation.quarantined:,} quarantined")
    fingerprint, cut = settle(folder, table.rows), cut_windows(table.rows, config)
    windows = cut.windows
    with progress.stage("Opening the registry"):
        registry = registry_of(environment)
        champion = find_champion(registry, config, environment)
    with registry.run(config.model, folder.name, _flat(config.model_dump(mode="json"))) as run_id:
        fitted = fit_bundle(
            windows, cut.history, config, simulated=table.simulated, progress=progress, ray=ray, run=folder
        )
        bundle = open_bundle(fitted.files)
        with progress.stage("Judging") as stage:
            weighed = weigh(table, windows, fitted, bundle, champion, config)
            stage.result(weighed.decision.outcome)
        with progress.stage("Reporting drift"):
            about, test = _about(bundle, windows, config, table.simulated), normal(windows[Window.TEST]).rows
            drift = report_rows(bundle, fitted.files, test, about, config, folder)
        origin = trace(
            config.data.uri,
            fingerprint,
            spans(windows, config.split.between_series),
            folder,
            run_id=run_id,
            digest=bundle.digest,
        )
        found = Findings(
            model=config.model,
            table=table,
            windows=windows,
            choice=fitted.choice,
            manifest=bundle.manifest,
            left_out=cut.left_out,
            judged=weighed.judged,
            comparison=weighed.comparison,
            injected=weighed.injected,
            champion=None if champion is None else champion.version,
            rules=gate_rules(config.gate),
            decision=weighed.decision,
            lineage=origin,
            drift=drift,
        )
        with progress.stage("Writing the card"):
            write_card(make_card(found, bundle, config, workspace.cache), folder)
        with progress.stage("Publishing and registering") as stage:
            version = record(registry, config.model, fitted.files, found, folder, environment)
            stage.result(f"version {version.version}")
    finish(folder)
    return _outcome(found, version, folder, environment)


def _outcome(found: Findings, version: ModelVersion, folder: Path, environment: Environment) -> Outcome:
    """What was done. Raises RefusedRun with it when the gate did not let the bundle be the challenger."""
    decision = found.decision
    paths = {"run": folder, "bundle": place(version.uri), "validation": found.table.page}
    paths |= {"drift": folder / "drift.html", "card": folder / CARD_PAGE}
    if found.table.quarantine:
        paths["quarantine"] = found.table.quarantine
    role = CHALLENGER if decision.registered else "no challenger"
    heading = ("Model", f"{version.name} version {version.version} ({role}), bundle sha256:{version.digest[:12]}")
    outcome = Outcome(
        lines=(heading, *screen(found)),
        next_command=f"promote --env {environment.name} --model {version.name}" if decision.registered else "",
        digest=version.digest,
        version=version.version,
        run_id=found.lineage.run_id,
        figures=figures(found),
        paths={name: str(path) for name, path in paths.items()},
    )
    if not decision.registered:
        raise RefusedRun(refusal(decision), outcome)
    return outcome


def _about(found: Bundle, windows: Mapping[Window, Scorable], config: TrainConfig, simulated: bool) -> About:
    return About(
        model=f"{config.model}, bundle sha256:{found.digest[:12]}",
        reference="sample of the normal rows of the reference window, as the bundle holds it",
        current=f"test window of {config.data.uri}",
        chosen=(("Rows", f"normal ones of {len(windows[Window.TEST]):,}, at most {config.drift.max_rows:,}, sampled"),),
        simulated=simulated,
    )


def _flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in values.items():
        flat |= _flat(value, f"{prefix}{key}.") if isinstance(value, dict) else {f"{prefix}{key}": value}
    return flat
