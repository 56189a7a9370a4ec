"""The champion on the same test rows as its challenger, each by its own transform, baselines, history, thresholds."""

from dataclasses import dataclass, replace

import msgspec
import numpy as np
from numpy.typing import NDArray

from evaluation.comparison import FIRST, Comparison, compare
from evaluation.episodes import LostRows
from evaluation.injection import Flag, InjectedFaults, Injection, Places, injected_faults, place, reference_spread
from evaluation.paired import Judged
from evaluation.used import Used, used
from features.errors import InputError, RetryError, VigiaError
from features.history import Scorable, scorable
from features.rows import Rows
from flows.adapters.registry import ModelVersion, Registry
from flows.bundles import load_version
from flows.config.judging import ENVIRONMENT
from flows.config.train import TrainConfig
from flows.environments import Environment
from flows.steps.judging import Scored, score_window
from flows.steps.lineage import LINEAGE, Lineage, training_windows
from serving.bundle import Bundle

_WAY_ON = "set gate.champion to null to train without a comparison"


@dataclass(frozen=True)
class Champion:
    """The version that serves. used: its training windows; None where its lineage does not tell."""

    version: ModelVersion
    bundle: Bundle
    used: tuple[Used, ...] | None


@dataclass(frozen=True)
class Trial:
    """All valid rows, and what the challenger says of those of the test window; reference: its normal rows."""

    rows: Rows
    bundle: Bundle
    scored: Scored
    reference: Rows
    lost: LostRows


@dataclass(frozen=True)
class Compared:
    """The verdict, and the faults injected into the challenger's rows; None where no run of rows can take one."""

    comparison: Comparison
    injected: InjectedFaults | None


def find_champion(registry: Registry, config: TrainConfig, environment: Environment) -> Champion | None:
    """The version under ``gate.champion``, loaded; None where the alias points nowhere.

    Raises InputError for a bundle that is not what was registered, RetryError for one that cannot be read now.
    """
    alias = (config.gate.champion or "").replace(ENVIRONMENT, environment.name)
    version = registry.by_alias(config.model, alias) if alias else None
    if version is None:
        return None
    named = f"champion {version.name} version {version.version} ({alias})"
    try:
        bundle = load_version(version, environment)
    except RetryError as error:
        raise type(error)(f"{named}: {error}; {_WAY_ON}") from error
    except VigiaError as error:
        raise InputError("gate.champion", f"{named} cannot be loaded ({error}); {_WAY_ON}", alias) from error
    made_of = read_lineage(registry, version)
    return Champion(version, bundle, None if made_of is None else training_windows(made_of))


def hold_against(champion: Champion | None, trial: Trial, config: TrainConfig) -> Compared:
    """Compare both on the test rows that both can score and that the champion was not made of.

    The challenger's own windows never hold a test row. Where it cannot be done, the comparison is inconclusive and
    says why.
    """
    if champion is None:
        return Compared(FIRST, _inject(trial, np.ones(len(trial.scored.rows), bool), config, trial.bundle)[0])
    if champion.version.digest == trial.bundle.digest:
        same = Comparison("pass", "the challenger is the champion's own bundle, to the byte")
        return Compared(same, _inject(trial, np.ones(len(trial.scored.rows), bool), config, trial.bundle)[0])
    missing = sorted({*champion.bundle.manifest.features} - {*trial.rows.features})
    if missing:
        why = f"the champion cannot score these rows: they lack its {_listed(missing)}"
        return Compared(
            Comparison("inconclusive", why),
            _inject(trial, np.ones(len(trial.scored.rows), bool), config, trial.bundle)[0],
        )
    return _compare(champion, trial, config)


def _compare(champion: Champion, trial: Trial, config: TrainConfig) -> Compared:
    ready = scorable(by_name(trial.rows, champion.bundle), champion.bundle.scorer.history)
    both = np.isin(trial.scored.rows.at, ready.at)
    ours = trial.scored.take(both)
    theirs = score_window(champion.bundle, ready.take(np.isin(ready.at, ours.rows.at)))
    made_of = champion.used or ()
    left_out = used(ours.rows.rows, made_of)
    free = both.copy()
    free[both] = ~left_out
    injected = _inject(trial, free, config, trial.bundle, champion.bundle)
    comparison = compare(
        Judged(theirs.scores, theirs.flagged, injected[1]),
        Judged(ours.scores, ours.flagged, injected[0]),
        ours.rows.rows,
        left_out,
        margin=config.gate.margin,
        seed=config.seed,
        lost=trial.lost,
    )
    return Compared(replace(comparison, sentence=comparison.sentence + _unknown(champion, trial.rows)), injected[0])


def by_name(rows: Rows, bundle: Bundle) -> Rows:
    """The rows with the features of a bundle, in its order."""
    features = tuple(bundle.manifest.features)
    if features == rows.features:
        return rows
    columns = [rows.features.index(name) for name in features]
    return replace(rows, features=features, values=rows.values[:, columns])


def _unknown(champion: Champion, rows: Rows) -> str:
    if champion.used is None:
        return "; the champion's training windows are not known, none of their rows is left out"
    if rows.times is None:
        return "; without times nobody can tell which of these rows the champion was made of"
    return ""


def _inject(
    trial: Trial, free: NDArray[np.bool_], config: TrainConfig, *bundles: Bundle
) -> list[InjectedFaults | None]:
    """The same faults in the same rows for each bundle: normal test rows where (n,) ``free`` is True."""
    asked = config.injection
    injection = Injection(tuple(asked.sizes), asked.faults, asked.rows, tuple(asked.kinds))
    at = trial.scored.rows.at[free & ~trial.scored.rows.rows.anomalous]
    usable = np.zeros(len(trial.rows), bool)
    usable[at] = True
    depth = max(bundle.scorer.history.rows for bundle in bundles)
    places = place(trial.rows, usable, injection, depth, config.seed)
    if places is None:
        return [None for _ in bundles]
    spread = reference_spread(trial.reference)
    return [
        injected_faults(_flag(bundle, trial.rows, places), trial.rows, places, spread, injection, config.seed)
        for bundle in bundles
    ]


def _flag(bundle: Bundle, rows: Rows, places: Places) -> Flag:
    own = by_name(rows.take(places.rows.ravel()), bundle)
    columns = [rows.features.index(name) for name in bundle.manifest.features]

    def flag(values: NDArray[np.float64], at: NDArray[np.int64]) -> NDArray[np.bool_]:
        seen = values if own.features == rows.features else values[:, columns]
        return score_window(bundle, Scorable(own, bundle.scorer.history, seen, at)).flagged

    return flag


def read_lineage(registry: Registry, version: ModelVersion) -> Lineage | None:
    """What its run says a version was made of; None where it does not say, or not in these words."""
    written = registry.read(version.run_id, LINEAGE)
    try:
        return None if written is None else msgspec.json.decode(written, type=Lineage)
    except msgspec.MsgspecError:
        return None


def _listed(names: list[str]) -> str:
    return ", ".join(repr(name) for name in names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
