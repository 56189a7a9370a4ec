"""Reading and validating a table: rows that may be used, and the rest in quarantine with the reasons."""

from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from evaluation.validation.suite import Limits, Validation, validate
from features.errors import InputError
from features.rows import Rows, from_table
from features.schema import resolve
from features.sources.opening import open_source
from flows.config.train import TrainConfig


@dataclass(frozen=True)
class CheckedTable:
    """Valid rows of a table and what validation said of it."""

    rows: Rows
    validation: Validation
    simulated: bool
    quarantine: Path | None


def read_checked(config: TrainConfig, folder: Path) -> CheckedTable:
    """Read ``data.uri``, validate it, write ``quarantine.parquet`` into the folder where rows are invalid.

    Raises InputError with a sentence a rule when the table fails.
    """
    data = config.data
    source = open_source(data.uri, separator=data.separator)
    schema = resolve(
        source.schema, features=data.features, series=data.series, timestamp=data.timestamp, label=data.label
    )
    table = pa.Table.from_batches(
        source.blocks(schema.columns), source.schema.empty_table().select(schema.columns).schema
    )
    limits = Limits(config.validation.min_rows, config.validation.max_quarantined_share)
    validation = validate(table, schema, limits)
    quarantine = None
    if validation.quarantined:
        quarantine = folder / "quarantine.parquet"
        broken = pa.array(validation.broken, pa.string())
        pq.write_table(table.append_column("rules", broken).filter(pa.array(~validation.valid)), quarantine)
    if validation.failures:
        raise InputError(f"table {data.uri}", "fails validation:\n  " + "\n  ".join(validation.failures))
    rows = from_table(table.filter(pa.array(validation.valid)), schema)
    return CheckedTable(rows, validation, source.simulated, quarantine)
