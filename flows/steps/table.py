"""Reading and validating a table: rows that may be used, the rest in quarantine with the reasons, a page for people."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from evaluation.episodes import LostRows
from evaluation.pages.validation import write_validation_page
from evaluation.validation.rules import Limits, OwnExpectation
from evaluation.validation.validate import JudgedBlock, validate
from evaluation.validation.verdict import Validation
from features import schema as roles
from features.errors import InputError
from features.rows import Rows, from_blocks
from features.schema import Schema
from features.sources.opening import Access, Source, open_source
from features.sources.records import RecordColumns, RecordSource
from features.typed import TypedBlock
from flows.config import data as configured
from flows.config.model import microseconds
from flows.config.train import TrainConfig
from flows.steps.quarantine import QuarantineFile


@dataclass(frozen=True)
class Opened:
    """A source and the roles of its columns."""

    source: Source
    schema: Schema


@dataclass(frozen=True)
class JudgedTable:
    """What validation said of a table, and the files written."""

    validation: Validation
    page: Path
    quarantine: Path | None


@dataclass(frozen=True)
class CheckedTable:
    """What validation said of a table, its valid rows, the anomalous ones among the others, and the files written.

    unplaced: anomalous rows in quarantine whose series or time is not known, so that no episode can hold them.
    """

    rows: Rows
    lost: LostRows
    unplaced: int
    validation: Validation
    page: Path
    quarantine: Path | None

    @property
    def simulated(self) -> bool:
        """True when no machine ever produced these rows."""
        return self.validation.simulated


def open_data(data: configured.Data, cache: Path) -> Opened:
    """Open ``data.uri`` and bind the configured names. Raises InputError naming the field."""
    source = open_source(data.uri, Access(data.separator, data.endpoint, data.region, cache))
    if data.record:
        source = RecordSource(source, RecordColumns(**data.record.model_dump()))
    rule = data.regime
    regime = roles.RegimeRule(**rule.model_dump()) if isinstance(rule, configured.RegimeRule) else rule
    schema = roles.resolve(
        source.schema,
        features=data.features,
        series=data.series,
        timestamp=data.timestamp,
        label=data.label,
        group=data.group,
        regime=regime,
        timestamp_format=data.timestamp_format,
        kind=data.kind,
    )
    return Opened(source, schema)


def open_for_bundle(data: configured.Data, cache: Path) -> Opened:
    """A table whose features a bundle names. Raises InputError naming the field, and who named it."""
    try:
        return open_data(data, cache)
    except InputError as error:
        if error.field != "data.features":
            raise
        rule = f"{error.rule} (the bundle names its features: is this the right table?)"
        raise InputError(error.field, rule, error.value) from error


def judge_table(
    opened: Opened, config: TrainConfig, folder: Path, on_block: Callable[[JudgedBlock], None]
) -> JudgedTable:
    """Read and judge a table; ``on_block`` gets every block with its verdicts. Writes ``validation.html``, and
    ``quarantine.parquet`` where rows are invalid.

    Where ``validation.failures`` is not empty, the table is refused and its rows mean nothing.
    """
    source = opened.source
    with QuarantineFile(folder / "quarantine.parquet") as quarantine:

        def keep(block: JudgedBlock) -> None:
            on_block(block)
            quarantine.add(block)

        validation = validate(
            source.blocks,
            source.schema.names,
            opened.schema,
            limits(config),
            uri=config.data.uri,
            simulated=source.simulated,
            on_block=keep,
        )
    page = folder / "validation.html"
    write_validation_page(validation, page)
    return JudgedTable(validation, page, quarantine.written)


def check(config: TrainConfig, folder: Path, cache: Path) -> CheckedTable:
    """Judge the table and keep its valid rows; as ``judge_table``.

    cache: where sources keep what is costly to make again.
    """
    opened = open_data(config.data, cache)
    kept: list[TypedBlock] = []
    lost: list[LostRows] = []
    flags: list[np.ndarray] = []
    valid: list[np.ndarray] = []
    unplaced = 0

    def on_block(block: JudgedBlock) -> None:
        nonlocal unplaced
        kept.append(block.typed.take(block.valid))
        flags.append(block.flags[block.valid])
        valid.append(block.valid)
        lost.append(_lost(block, config.validation.sensor_health))
        unplaced += _anomalous(block) - len(lost[-1].times)

    judged = judge_table(opened, config, folder, on_block)
    named, usable = np.concatenate([np.empty(0, object), *flags]), np.concatenate([np.empty(0, bool), *valid])
    rows = from_blocks(kept, opened.schema, named, np.flatnonzero(usable))
    return CheckedTable(rows, _join(lost), unplaced, judged.validation, judged.page, judged.quarantine)


def read_checked(config: TrainConfig, folder: Path, cache: Path) -> CheckedTable:
    """The checked table. Raises InputError with a sentence a rule when validation refuses it."""
    table = check(config, folder, cache)
    refuse_failures(table.validation, table.page)
    return table


def refuse_failures(validation: Validation, page: Path) -> None:
    """Raises InputError with a sentence a rule where validation refused a table."""
    if validation.failures:
        sentences = "\n  ".join(validation.failures)
        raise InputError(f"table {validation.uri}", f"fails validation (see {page}):\n  {sentences}")


def limits(config: TrainConfig) -> Limits:
    """The limits of a configuration."""
    rules = config.validation
    return Limits(
        min_rows=rules.min_rows,
        max_quarantined_share=rules.max_quarantined_share,
        min_days=rules.min_days,
        max_age_us=microseconds(rules.max_age) if rules.max_age else 0,
        now_us=time.time_ns() // 1_000,
        allow_constant=rules.constant_features == "allow",
        refuse_unordered=rules.unordered == "refuse",
        ranges=config.data.ranges,
        stuck_rows=rules.stuck_rows,
        clipped_rows=rules.clipped_rows,
        gap_factor=rules.gap_factor,
        own=tuple(OwnExpectation(own.type, own.kwargs, own.grade) for own in rules.expectations),
    )


def _anomalous(block: JudgedBlock) -> int:
    return 0 if block.typed.labels is None else int(np.sum(~block.valid & (block.typed.labels == 1)))


def _lost(block: JudgedBlock, health: list[str]) -> LostRows:
    """Invalid rows of one block that are labelled anomalous and whose key is known."""
    typed = block.typed
    if typed.labels is None or typed.times is None:
        return LostRows(np.empty(0, object), np.empty(0, np.int64), np.empty(0, bool))
    named, known = np.full(len(typed), "all", object), typed.has_time
    if typed.series is not None:
        named = typed.series.to_numpy(zero_copy_only=False)
        known = known & typed.series.is_valid().to_numpy(zero_copy_only=False)
    rows = np.flatnonzero(~block.valid & (typed.labels == 1) & known)
    broken = [{part for label in labels for part in (label, label.split(":")[0])} for labels in block.rules[rows]]
    return LostRows(named[rows], typed.times[rows], np.array([bool(found & set(health)) for found in broken], bool))


def _join(parts: list[LostRows]) -> LostRows:
    if not parts:
        return LostRows(np.empty(0, object), np.empty(0, np.int64), np.empty(0, bool))
    return LostRows(*(np.concatenate([getattr(p, name) for p in parts]) for name in ("series", "times", "reported")))
