"""The Great Expectations door: a suite of row expectations, judged one block at a time."""

import logging
from collections.abc import Mapping, Sequence
from typing import Any

import great_expectations as gx
import numpy as np
import pandas as pd
from great_expectations.data_context.types.base import ProgressBarsConfig
from great_expectations.expectations.registry import get_expectation_impl
from numpy.typing import NDArray

from features.errors import InputError

BY_ROW = (
    "expect_column_pair_values_a_to_be_greater_than_b",
    "expect_column_pair_values_to_be_equal",
    "expect_column_value_lengths_to_be_between",
    "expect_column_value_lengths_to_equal",
    "expect_column_values_to_be_between",
    "expect_column_values_to_be_in_set",
    "expect_column_values_to_be_null",
    "expect_column_values_to_match_regex",
    "expect_column_values_to_not_be_in_set",
    "expect_column_values_to_not_be_null",
    "expect_column_values_to_not_match_regex",
)
"""Expectations that judge each row by itself: only these give by blocks the verdict that they give on a whole table."""


class Suite:
    """Expectations as (type, kwargs), in a fixed order."""

    def __init__(self, expectations: Sequence[tuple[str, Mapping[str, Any]]]) -> None:
        self._count = len(expectations)
        made = []
        for number, (kind, kwargs) in enumerate(expectations):
            made.append(_make(kind, kwargs))
            made[-1].meta = {"number": number}  # results come back grouped by column
        logging.getLogger("great_expectations").setLevel(logging.ERROR)
        context = gx.get_context(mode="ephemeral")
        context.variables.progress_bars = ProgressBarsConfig(globally=False)
        asset = context.data_sources.add_pandas("table").add_dataframe_asset("block")
        self._block = asset.add_batch_definition_whole_dataframe("whole")
        self._suite = gx.ExpectationSuite(name="rows", expectations=made)

    def run(self, frame: pd.DataFrame) -> list[NDArray[np.bool_]]:
        """For each expectation, in order: (n,) True where a row of the frame breaks it."""
        broken = [np.zeros(len(frame), bool) for _ in range(self._count)]
        if frame.empty or not self._count:
            return broken
        batch = self._block.get_batch({"dataframe": frame})
        for result in batch.validate(self._suite, result_format={"result_format": "COMPLETE"}).results:
            config = result.expectation_config
            raised = result.exception_info or {}
            if raised.get("raised_exception") or "unexpected_count" not in result.result:
                said = _message(raised)
                raise InputError(f"validation.expectations {config.type}", f"cannot judge these columns ({said})")
            failing = np.fromiter((int(i) for i in result.result.get("unexpected_index_list") or ()), np.int64)
            broken[config.meta["number"]][failing] = True
        return broken


def _message(raised: Any) -> str:
    """The words of an exception, which lie one level down where a metric raised it."""
    if isinstance(raised, dict):
        if raised.get("exception_message"):
            return str(raised["exception_message"]).strip().splitlines()[0]
        return next((text for part in raised.values() if (text := _message(part))), "")
    return ""


def _make(kind: str, kwargs: Mapping[str, Any]) -> Any:
    if kind not in BY_ROW:
        raise InputError("validation.expectations.type", f"must be one of {', '.join(BY_ROW)}", kind)
    try:
        return get_expectation_impl(kind)(**kwargs)
    except Exception as error:  # pydantic's, of the version that Great Expectations vendors
        said = "; ".join(line.strip() for line in str(error).splitlines()[1:]) or str(error)
        raise InputError(f"validation.expectations {kind}", f"kwargs do not fit ({said})", dict(kwargs)) from error
