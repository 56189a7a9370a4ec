"""Which files of a file system are the table, and of which kind."""

import pyarrow.fs as fs

from features.errors import InputError
from features.sources.csv_table import CsvSource, open_csv
from features.sources.parquet_table import ParquetSource, open_parquet
from features.storage import address, list_files, reading

PARQUET = (".parquet", ".pq")
CSV = (".csv", ".csv.gz", ".tsv", ".tsv.gz")


def open_table(
    uri: str, filesystem: fs.FileSystem, path: str, separator: str | None, block_rows: int
) -> CsvSource | ParquetSource:
    """Open a file, the tables below a folder, or the files that match a glob; all of one kind, in order of their paths.

    A file that is named counts as CSV unless it ends like Parquet; below a folder the endings in PARQUET and CSV count.
    """
    with reading(uri):
        found = list_files(filesystem, path)
    kinds = {name: "Parquet" if name.lower().endswith(PARQUET) else "CSV" for name in found}
    if len(found) != 1 or found[0] != path:
        kinds = {name: kind for name, kind in kinds.items() if name.lower().endswith(PARQUET + CSV)}
    if not kinds:
        raise InputError("data.uri", f"must hold or match files that end with {', '.join(PARQUET + CSV)}", uri)
    if len(set(kinds.values())) > 1:
        by_kind = {kind: address(filesystem, name) for name, kind in kinds.items()}
        rule = f"must hold files of one kind, not both {by_kind['CSV']} and {by_kind['Parquet']}"
        raise InputError("data.uri", rule, uri)
    if "CSV" in kinds.values():
        return open_csv(uri, filesystem, tuple(kinds), separator, block_rows)
    return open_parquet(uri, filesystem, tuple(kinds), block_rows)
