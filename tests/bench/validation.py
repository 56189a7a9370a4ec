"""`make bench`: a million rows validated, beside Great Expectations alone on the same rows, each in its own process."""

import resource
import subprocess
import sys
import time

import numpy as np
import pyarrow as pa

from features.schema import Schema

ROWS, SERIES = 1_000_000, 1_000
SCHEMA = Schema(tuple(f"f{k}" for k in range(10)), "series", "timestamp", "label")


def _table() -> pa.Table:
    rng = np.random.default_rng(0)
    steps = ROWS // SERIES
    columns = {
        "series": pa.array(np.repeat([f"s{i:04d}" for i in range(SERIES)], steps)),
        "timestamp": pa.array(np.tile(np.arange(steps) * 300_000_000, SERIES), pa.timestamp("us", tz="UTC")),
    }
    for name in SCHEMA.features:
        columns[name] = pa.array(rng.normal(size=ROWS).astype(np.float32))
    values = rng.normal(size=ROWS)
    values[::1_000] = np.nan
    columns["f0"] = pa.array(values)
    return pa.table({**columns, "label": pa.array(np.zeros(ROWS, np.int8))})


def _ours() -> int:
    from evaluation.validation.rules import Limits
    from evaluation.validation.validate import validate

    table = _table()

    def blocks(columns: list[str]) -> list[pa.RecordBatch]:
        return table.select(columns).to_batches(max_chunksize=250_000)

    return validate(blocks, table.column_names, SCHEMA, Limits(), uri="bench", simulated=True).quarantined


def _alone() -> int:
    """The same row rules and the unique key, the whole table at once, as a script would do it."""
    import great_expectations as gx
    import great_expectations.expectations as gxe
    from great_expectations.data_context.types.base import ProgressBarsConfig

    from evaluation.validation.rules import schema_rules
    from evaluation.validation.suite import get_expectation_impl

    frame = _table().to_pandas()
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    asset = context.data_sources.add_pandas("t").add_dataframe_asset("a")
    batch = asset.add_batch_definition_whole_dataframe("w").get_batch({"dataframe": frame})
    rules = [get_expectation_impl(kind)(**kwargs) for _, kind, kwargs in schema_rules(SCHEMA)]
    rules.append(gxe.ExpectCompoundColumnsToBeUnique(column_list=["series", "timestamp"]))
    suite = gx.ExpectationSuite(name="s", expectations=rules)
    found = batch.validate(suite, result_format={"result_format": "COMPLETE"})
    return len({row for result in found.results for row in result.result.get("unexpected_index_list") or ()})


def main() -> None:
    """Print seconds (imports apart), peak memory and the ratio."""
    if len(sys.argv) > 1:
        import great_expectations  # noqa: F401  # its import is not what is measured

        started = time.perf_counter()
        rows = {"ours": _ours, "alone": _alone}[sys.argv[1]]()
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
        print(f"{time.perf_counter() - started:.2f} {peak:.2f} {rows}")
        return
    seconds = {}
    for name in ("ours", "alone"):
        command = [sys.executable, "-m", "tests.bench.validation", name]
        found = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
        seconds[name] = float(found[0])
        what = "vigia, both passes" if name == "ours" else "Great Expectations alone"
        print(f"{what}: {found[0]} s, {found[1]} GiB peak, {int(found[2]):,} of {ROWS:,} rows invalid")
    ratio = seconds["alone"] / seconds["ours"]
    print(f"ratio {ratio:.2f} Great Expectations alone over vigia, {ROWS:,} rows x 10 features")


if __name__ == "__main__":
    main()
