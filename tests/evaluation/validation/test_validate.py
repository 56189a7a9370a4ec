"""Invalid rows are set aside by rule, implausible ones flagged, a bad table is refused in sentences."""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from evaluation.validation.rules import Limits, OwnExpectation
from evaluation.validation.tally import named_rules
from evaluation.validation.validate import JudgedBlock, validate
from evaluation.validation.verdict import Rule, Validation
from features.errors import InputError
from features.schema import RegimeRule, Schema

N = 40
SCHEMA = Schema(("x", "y"), "s", "t", "l")
LOOSE = Limits(min_rows=1)
DAY = 86_400 * 1_000_000


def make_table(**changes: dict[int, Any]) -> pa.Table:
    """Forty sound rows of two series with some cells changed: ``x={3: nan}``."""
    columns: dict[str, list[Any]] = {
        "s": ["a", "b"] * (N // 2),
        "t": [datetime(2026, 1, 1) + timedelta(minutes=i // 2) for i in range(N)],
        "x": [float(i) for i in range(N)],
        "y": [0.5 + (i * 7) % N for i in range(N)],
        "l": [0] * N,
        "note": [f"n{i}" for i in range(N)],
    }
    for name, cells in changes.items():
        for row, value in cells.items():
            columns[name][row] = value
    types = {"s": pa.string(), "t": pa.timestamp("us"), "l": pa.int64(), "note": pa.string()}
    return pa.table({name: pa.array(values, types.get(name, pa.float64())) for name, values in columns.items()})


def judge(
    table: pa.Table, limits: Limits = LOOSE, schema: Schema = SCHEMA, rows: int = 1_000_000
) -> tuple[Validation, pd.DataFrame]:
    """The verdict, and the rules and flags of each row."""
    judged: list[JudgedBlock] = []

    def blocks(columns: list[str]) -> Iterable[pa.RecordBatch]:
        return table.select(columns).to_batches(max_chunksize=rows)

    names, keep = table.column_names, judged.append
    found = validate(blocks, names, schema, limits, uri="t", simulated=False, on_block=keep, block_rows=rows)
    assert len(judged) <= 1 or rows < N  # blocks stay as small as asked
    rules = np.concatenate([block.rules for block in judged]) if judged else np.empty(0, object)
    flags = np.concatenate([block.flags for block in judged]) if judged else np.empty(0, object)
    return found, pd.DataFrame(
        {"rules": [" ".join(names) for names in rules], "flags": [" ".join(names) for names in flags]}
    )


def named(texts: pd.Series) -> dict[int, str]:
    return {int(row): text for row, text in texts[texts != ""].items()}


def test_a_sound_table_has_no_broken_row_and_no_failure() -> None:
    found, _ = judge(make_table(l={0: 1, 1: None}), Limits(min_rows=N))
    assert (found.rows, found.quarantined, found.implausible, found.failures) == (N, 0, 0, ())
    assert all(finding.failing == 0 for finding in found.findings)
    assert (found.series, found.first, found.last) == (2, "2026-01-01T00:00:00Z", "2026-01-01T00:19:00Z")


@pytest.mark.parametrize(
    ("changes", "broken"),
    [
        ({"x": {3: float("nan")}}, {3: "present:x"}),
        ({"y": {0: None}}, {0: "present:y"}),
        ({"x": {5: float("inf"), 7: float("-inf")}}, {5: "finite:x", 7: "finite:x"}),
        ({"l": {2: 2, 4: -1}}, {2: "label:l", 4: "label:l"}),
        ({"s": {1: None}}, {1: "key_present:s"}),
        ({"t": {1: None}}, {1: "key_present:t"}),
        ({"s": {1: "a"}}, {0: "unique_key:s,t", 1: "unique_key:s,t"}),
        ({"x": {6: float("inf")}, "l": {6: 9}}, {6: "finite:x label:l"}),
    ],
)
def test_an_invalid_row_is_quarantined_with_the_rules_it_broke(
    changes: dict[str, dict[int, Any]], broken: dict[int, str]
) -> None:
    found, rows = judge(make_table(**changes))
    assert named(rows.rules) == broken
    assert found.quarantined == len(broken)
    assert found.failures == ()


@pytest.mark.parametrize("column", ["x", "t", "l"])
def test_a_mistyped_cell_is_invalid_by_type_alone_and_shown_as_written(column: str) -> None:
    table = make_table()
    texts = [str(value) for value in table.column(column).to_pylist()]
    texts[5] = "broken"
    table = table.set_column(table.column_names.index(column), column, pa.array(texts))
    found, rows = judge(table)
    assert rows.rules[5].split()[0] == f"type:{column}"
    finding = next(f for f in found.findings if f.rule.label == f"type:{column}")
    assert (finding.failing, finding.examples) == (1, ("broken",))
    assert found.quarantined == 1


def test_duplicates_are_found_across_blocks_and_every_one_is_invalid() -> None:
    table = pa.concat_tables([make_table(), make_table().slice(4, 1)])
    _, rows = judge(table, rows=7)
    assert named(rows.rules) == {4: "unique_key:s,t", N: "unique_key:s,t"}


def test_without_a_series_times_alone_must_be_unique() -> None:
    times = pd.to_datetime(["2026-01-01", "2026-01-02", "2026-01-02"], utc=True)
    table = pa.Table.from_pandas(pd.DataFrame({"t": times, "x": [1.0, 2.0, 3.0]}))
    _, rows = judge(table, schema=Schema(("x",), timestamp="t"))
    assert list(named(rows.rules)) == [1, 2]


def test_without_time_equal_rows_are_no_duplicates() -> None:
    table = pa.table({"s": ["a", "a", "b"], "x": [1.0, 1.0, 2.0]})
    found, _ = judge(table, schema=Schema(("x",), series="s"))
    assert found.quarantined == 0


def test_too_many_invalid_rows_fail_the_table_with_column_rule_and_examples() -> None:
    found, _ = judge(make_table(x={row: float("inf") for row in range(10)}), Limits(1, max_quarantined_share=0.2))
    assert found.failures == (
        "column 'x': must be finite; 10 of 40 rows break it, for example inf",
        "at most 20.0% of the rows may be invalid (validation.max_quarantined_share); 25.0% are",
    )


def test_exactly_the_allowed_share_does_not_fail() -> None:
    found, _ = judge(make_table(x=dict.fromkeys(range(10))), Limits(30, max_quarantined_share=0.25))
    assert found.failures == ()


@pytest.mark.parametrize("rows", [0, 3])
def test_too_few_valid_rows_fail_the_table(rows: int) -> None:
    found, _ = judge(make_table().slice(0, rows), Limits())
    assert found.failures[-1] == f"must hold at least 1,000 valid rows (validation.min_rows); {rows} found"


def test_a_constant_feature_fails_the_table_unless_allowed() -> None:
    table = make_table(y=dict.fromkeys(range(N), 2.5))
    found, _ = judge(table)
    assert found.failures == (
        "column 'y': must not be constant (leave it out of data.features, or validation.constant_features: allow); "
        "always 2.5",
    )
    assert judge(table, Limits(1, allow_constant=True))[0].failures == ()


def test_a_column_without_any_value_fails_by_its_missing_cells() -> None:
    found, _ = judge(make_table(y=dict.fromkeys(range(N))))
    assert found.failures[0] == "column 'y': must not be missing or NaN; 40 of 40 rows break it"


def test_days_and_freshness_are_judged_on_request() -> None:
    now = int(datetime(2026, 1, 8).timestamp()) * 1_000_000 + 0
    now = int(np.datetime64("2026-01-08", "us").astype(int))
    found, _ = judge(make_table(), Limits(1, min_days=2, max_age_us=3 * DAY, now_us=now))
    assert found.failures == (
        "must span at least 2 days (validation.min_days); 0.01 found",
        "the latest row must be at most 3 days old (validation.max_age); it is 6.99 days old",
    )
    assert judge(make_table(), Limits(1, max_age_us=8 * DAY, now_us=now))[0].failures == ()


def test_implausible_rows_stay_and_are_flagged() -> None:
    table = make_table(
        x={2 * i: 7.25 for i in range(5, 10)},  # series a stuck for five rows
        y={1: 1e9},
        t={6: datetime(2026, 1, 1, 0, 1, 30)},  # series a: before the row above it
    )
    limits = Limits(1, ranges={"y": (0.0, 100.0)}, stuck_rows=4, clipped_rows=0)
    found, rows = judge(table, limits)
    assert named(rows.rules) == {}
    assert named(rows["flags"]) == {1: "range:y", 6: "unordered:t", 16: "stuck:x", 18: "stuck:x"}
    assert (found.quarantined, found.implausible, found.failures) == (0, 4, ())


def test_a_gap_is_flagged_where_the_series_goes_on() -> None:
    late = {row: datetime(2026, 1, 1, 3) + timedelta(minutes=row // 2) for row in range(20, N, 2)}
    _, rows = judge(make_table(t=late))
    assert named(rows["flags"]) == {20: "gap:t"}


def test_clipped_rows_stay_at_the_extreme_of_the_table() -> None:
    table = make_table(x=dict.fromkeys((10, 12, 14, 30, 32, 34), 99.0))
    _, rows = judge(table, Limits(1, stuck_rows=0, clipped_rows=3))
    assert named(rows["flags"]) == {14: "clipped:x", 34: "clipped:x"}


def test_counts_and_switches_are_neither_stuck_nor_clipped() -> None:
    table = make_table(y={row: float(row > 30) for row in range(N)})
    assert named(judge(table, Limits(1, stuck_rows=3, clipped_rows=3))[1]["flags"]) == {}


def test_unordered_rows_can_be_refused() -> None:
    found, rows = judge(make_table(t={6: datetime(2026, 1, 1, 0, 0, 30)}), Limits(1, refuse_unordered=True))
    assert found.failures[0].startswith("column 't': must not lie before the row of its series above it; 1 of 40")
    assert named(rows.rules) == {}


def test_own_expectations_have_the_grade_their_owner_gives_them() -> None:
    between = {"column": "x", "min_value": 0, "max_value": 35}
    own = (
        OwnExpectation("expect_column_values_to_be_between", between, "implausible"),
        OwnExpectation("expect_column_values_to_match_regex", {"column": "note", "regex": "^n[0-3]"}, "invalid"),
        OwnExpectation("expect_column_pair_values_a_to_be_greater_than_b", {"column_A": "y", "column_B": "x"}, "table"),
    )
    found, rows = judge(make_table(note={2: "other"}), Limits(1, own=own))
    assert sorted(named(rows["flags"])) == [36, 37, 38, 39]
    assert 2 in named(rows.rules)
    assert 5 in named(rows.rules)  # n5
    failure = next(text for text in found.failures if "pair" in text)
    assert failure.startswith("column 'y,x': column pair values a to be greater than b")


def test_a_share_of_failing_rows_may_be_allowed() -> None:
    kwargs = {"column": "x", "min_value": 4}
    kind = "expect_column_values_to_be_between"
    strict = Limits(1, own=(OwnExpectation(kind, kwargs | {"mostly": 0.95}, "table"),))
    loose = Limits(1, own=(OwnExpectation(kind, kwargs | {"mostly": 0.9}, "table"),))
    assert len(judge(make_table(), strict)[0].failures) == 1
    assert judge(make_table(), loose)[0].failures == ()


@pytest.mark.parametrize(
    ("own", "message"),
    [
        (OwnExpectation("expect_column_mean_to_be_between", {"column": "x"}), r"expectations\.type: must be one of"),
        (
            OwnExpectation("expect_column_values_to_be_unique", {"column": "x"}),
            r"must be one of .*, got 'expect_column_v",
        ),
        (
            OwnExpectation("expect_column_values_to_be_in_set", {"column": "zz", "value_set": [1]}),
            "column of the table",
        ),
        (OwnExpectation("expect_column_values_to_be_in_set", {"column": "x"}), r"kwargs do not fit \(.*value_set"),
        (OwnExpectation("expect_column_values_to_be_between", {"column": "x", "min": 1}), r"kwargs do not fit \(.*min"),
    ],
)
def test_an_expectation_that_does_not_fit_is_an_error(own: OwnExpectation, message: str) -> None:
    with pytest.raises(InputError, match=message):
        judge(make_table(), Limits(1, own=(own,)))


@pytest.mark.parametrize(
    ("ranges", "message"), [({"z": (0, 1)}, "must name features"), ({"x": (1, 1)}, r"\[lowest, h")]
)
def test_a_range_that_does_not_fit_is_an_error(ranges: dict[str, tuple[float, float]], message: str) -> None:
    with pytest.raises(InputError, match=rf"data\.ranges.*{message}"):
        judge(make_table(), Limits(1, ranges=ranges))


def test_a_table_that_changes_while_it_is_read_is_an_error() -> None:
    calls = iter((make_table(), make_table().slice(0, 30)))
    blocks: Callable[[list[str]], Any] = lambda columns: next(calls).select(columns).to_batches()  # noqa: E731
    with pytest.raises(InputError, match=r"data\.uri: must not change while it is read"):
        validate(blocks, make_table().column_names, SCHEMA, LOOSE, uri="t", simulated=False)


def test_profiles_show_extremes_of_all_rows_and_a_histogram_of_the_finite_ones() -> None:
    found, _ = judge(make_table(x={0: float("inf"), 1: None, 2: -50.0}))
    profile = found.profiles[0]
    assert (profile.column, profile.missing, profile.lowest, profile.highest) == ("x", 1, -50.0, 39.0)
    assert sum(profile.counts) == N - 2
    assert len(profile.edges) == len(profile.counts) + 1


cells = st.sampled_from([0.0, 1.0, 1.5, 2.0, float("nan"), float("inf"), 1e30, None])
rows_of = st.tuples(st.sampled_from(["a", "b", "ü ß", None]), st.integers(0, 30), cells, cells, st.integers(-1, 2))


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(rows=st.lists(rows_of, min_size=1, max_size=40), cuts=st.integers(1, 15), monkey=st.integers(0, 3))
def test_the_verdict_by_blocks_is_that_on_the_whole_table(rows: list[tuple[Any, ...]], cuts: int, monkey: int) -> None:
    s, t, x, y, label = zip(*rows, strict=True)
    times = [None if minute == 30 else datetime(2026, 1, 1) + timedelta(minutes=minute) for minute in t]
    table = pa.table(
        {
            "s": pa.array(s, pa.string()),
            "t": pa.array(times, pa.timestamp("us")),
            "x": pa.array(x, pa.float64()),
            "y": pa.array(y, pa.float64()),
            "l": pa.array(label, pa.int64()),
        }
    )
    own = (OwnExpectation("expect_column_values_to_be_between", {"column": "x", "max_value": 1.2}, "implausible"),)
    limits = Limits(5, max_quarantined_share=0.3, ranges={"y": (0, 1.6)}, stuck_rows=monkey, clipped_rows=2, own=own)
    whole, by_row = judge(table, limits)
    parts, by_part = judge(table, limits, rows=cuts)
    assert parts == whole
    pd.testing.assert_frame_equal(by_part, by_row)


def test_a_mistyped_cell_of_the_column_that_tells_the_state_is_invalid() -> None:
    table = make_table().append_column("speed", pa.array(["0"] * 10 + ["bad"] + ["30"] * 29))
    schema = Schema(("x", "y"), "s", "t", regime=RegimeRule("speed", 1, 20))
    assert named(judge(table, schema=schema)[1].rules) == {10: "type:speed"}


def test_a_sensor_that_is_stuck_most_of_the_time_is_not_taken_for_a_counter() -> None:
    rng = np.random.default_rng(0)
    values = np.where(np.arange(2_000) % 1_000 < 700, 0.25, rng.normal(size=2_000))
    table = pa.table(
        {
            "s": ["a"] * 1_000 + ["b"] * 1_000,
            "t": pa.array(np.tile(np.arange(1_000) * 60_000_000, 2), pa.timestamp("us")),
            "x": values,
        }
    )
    found, rows = judge(table, schema=Schema(("x",), "s", "t"))
    assert len(named(rows["flags"])) == 2 * (700 - 11)
    assert found.implausible == 2 * 689


def test_a_column_that_is_spared_says_so() -> None:
    found, _ = judge(make_table(y={row: float(row > 30) for row in range(N)}))
    spared = [finding.rule.label for finding in found.findings if finding.observed.startswith("not judged")]
    assert spared == ["stuck:y", "clipped:y"]


def test_two_expectations_of_one_type_and_column_are_judged_apart() -> None:
    kind = "expect_column_values_to_be_between"
    strict = OwnExpectation(kind, {"column": "x", "min_value": 20, "mostly": 0.9}, "table")
    loose = OwnExpectation(kind, {"column": "x", "max_value": 99, "mostly": 0.1}, "table")
    found, _ = judge(make_table(), Limits(1, own=(strict, loose, strict)))
    assert len(found.failures) == 2
    assert all(finding.failing <= N for finding in found.findings)


def test_an_expectation_judges_texts_that_are_numbers_and_times_by_their_value() -> None:
    table = make_table().append_column("load", pa.array([str(i) for i in range(N)]))
    kind = "expect_column_values_to_be_between"
    own = (
        OwnExpectation(kind, {"column": "load", "max_value": 37}, "implausible"),
        OwnExpectation(kind, {"column": "t", "max_value": "2026-01-01 00:18"}, "implausible"),
    )
    assert sorted(named(judge(table, Limits(1, own=own))[1]["flags"])) == [38, 39]
    with pytest.raises(InputError, match="max_value: must be a time"):
        judge(table, Limits(1, own=(OwnExpectation(kind, {"column": "t", "max_value": "soon"}),)))


def test_an_expectation_that_cannot_judge_a_column_says_why_in_one_line() -> None:
    own = (OwnExpectation("expect_column_values_to_match_regex", {"column": "note", "regex": "("}),)
    with pytest.raises(InputError) as caught:
        judge(make_table(), Limits(1, own=own))
    assert "Traceback" not in str(caught.value)
    assert len(str(caught.value)) < 300


def test_a_column_name_may_hold_a_comma() -> None:
    table = make_table().append_column("a,b", pa.array([float(i) for i in range(N)]))
    own = (OwnExpectation("expect_column_values_to_be_between", {"column": "a,b", "max_value": 38}, "implausible"),)
    found, rows = judge(table, Limits(1, own=own))
    assert list(named(rows["flags"])) == [39]
    assert next(f.examples for f in found.findings if f.failing) == ("39.0",)


def test_rules_on_the_table_look_at_valid_rows_alone() -> None:
    old = make_table(t={0: datetime(2020, 1, 1)}, x={0: float("inf")})
    assert judge(old, Limits(1, min_days=2))[0].failures != ()
    constant = make_table(y=dict.fromkeys(range(1, N), 2.5), x={0: float("inf")})
    assert "always 2.5" in judge(constant)[0].failures[0]


def test_rows_that_break_the_same_rules_share_their_names() -> None:
    first, second = Rule("a", ("x",), "invalid", ""), Rule("b", (), "invalid", "")
    masks = [np.array([True, False, True, False]), np.array([True, False, False, True])]
    found = named_rules(list(zip((first, second), masks, strict=True)), "invalid", 4)
    assert found.names.tolist() == [("a:x", "b"), (), ("a:x",), ("b",)]
    assert found.any.tolist() == [True, False, True, True]
