"""Binding configured column names to a table."""

from typing import Any

import pyarrow as pa
import pytest

from features.errors import InputError
from features.schema import Schema, resolve

TABLE = pa.schema(
    [
        ("machine", pa.string()),
        ("time", pa.timestamp("us")),
        ("level", pa.float32()),
        ("count", pa.int64()),
        ("price", pa.decimal128(8, 2)),
        ("note", pa.string()),
        ("fault", pa.int8()),
    ]
)
ROLES: dict[str, Any] = {"features": "*", "series": "machine", "timestamp": "time", "label": "fault"}


def test_a_star_takes_numeric_columns_without_a_role_in_table_order() -> None:
    assert resolve(TABLE, **ROLES) == Schema(("level", "count", "price"), "machine", "time", "fault")


def test_a_numeric_series_is_not_a_feature() -> None:
    assert resolve(TABLE, **ROLES | {"series": "count"}).features == ("level", "price")


def test_listed_features_keep_their_order() -> None:
    assert resolve(TABLE, **ROLES | {"features": ["count", "level"]}).features == ("count", "level")


def test_columns_are_keys_then_features_without_absent_roles() -> None:
    schema = resolve(TABLE, features=["level"], series=None, timestamp="time", label=None)
    assert schema.columns == ["time", "level"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"series": "machin"}, r"data\.series: must name a column .*nearest: 'machine'.*got 'machin'"),
        ({"features": ["lvel"]}, r"data\.features: .*nearest: 'level'"),
        ({"timestamp": "level"}, r"data\.timestamp: column 'level' must hold timestamps .*got 'float'"),
        ({"features": ["note"]}, r"data\.features: column 'note' must be numeric, got 'string'"),
        ({"features": ["fault"]}, r"data\.features: a column with another role .* got 'fault'"),
        ({"features": "level"}, r"data\.features: must be a list"),
        ({"features": []}, r"data\.features: at least one numeric column"),
    ],
)
def test_an_error_names_the_field_and_the_rule(change: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        resolve(TABLE, **ROLES | change)


def test_a_name_like_no_column_gets_no_hint() -> None:
    with pytest.raises(InputError) as caught:
        resolve(TABLE, **ROLES | {"label": "zzzzzz"})
    assert "nearest" not in str(caught.value)


def test_the_column_of_kinds_must_exist_and_is_never_a_feature() -> None:
    table = pa.schema([("x", pa.float64()), ("code", pa.int64())])
    assert resolve(table, features="*", kind="code").features == ("x",)
    with pytest.raises(InputError, match=r"data\.kind: must name a column of the table \(nearest: 'code'\)"):
        resolve(table, features="*", kind="codes")
