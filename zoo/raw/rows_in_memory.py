"""Turns rows in memory into the text that a raw log would hold."""

import numbers
from collections.abc import Iterable
from typing import Any

import numpy as np
import pyarrow as pa

from zoo.raw.bad_line import NUMBERS
from zoo.raw.bad_line import broken_rule_of_value
from zoo.raw.columns import LARGEST_EXACT
from zoo.raw.columns import as_text
from zoo.raw.log_format import LogFormat


def raw_table(rows: Any, log_format: LogFormat) -> pa.Table:
    """Turns rows into `raw` of `zoo.encoding.sql`, without labels.

    Args:
        rows: list of dicts, pandas DataFrame or pyarrow Table with (at least)
            the dense and categorical columns of the log. Text and integers
            are taken as they are; a float must be integral, because pandas
            turns integers beside missing values into floats. `None`, `NaN`
            and `""` are missing.
        log_format: `LogFormat`.

    Raises:
        ValueError: naming column and row, for a missing column or a value of
            another kind.
    """
    names = (*log_format.dense, *log_format.categorical)
    has_floats = log_format.dense_type == "float"
    floats = log_format.dense if has_floats else ()
    if isinstance(rows, pa.Table):
        _check_columns(rows.column_names, names)
        columns = [_arrow_column(rows[n], n, n in floats) for n in names]
        num_rows = rows.num_rows
    elif hasattr(rows, "columns") and hasattr(rows, "iloc"):
        _check_columns(rows.columns, names)
        columns = [_pandas_column(rows[n], n, n in floats) for n in names]
        num_rows = len(rows)
    else:
        rows = _checked_dicts(rows)
        columns = [_dict_column(rows, n, n in floats) for n in names]
        num_rows = len(rows)
    roles = [f"dense_{i}" for i in range(len(log_format.dense))]
    roles += [f"field_{i}" for i in range(len(log_format.categorical))]
    row_id = pa.array(np.arange(num_rows, dtype="int64"))
    return pa.table([row_id, *columns], ["row_id", *roles])


def raise_bad_number(raw: pa.Table, row: int, log_format: LogFormat) -> None:
    """Raises for the first text of a row that should be a number.

    Args:
        raw: what `raw_table` returned.
        row: integer. Number of a row that breaks a rule.
        log_format: `LogFormat`.

    Raises:
        ValueError: naming column and row.
    """
    for i, name in enumerate(log_format.dense):
        value = raw[f"dense_{i}"][row].as_py() or ""
        if broken_rule_of_value(name, value, log_format):
            raise ValueError(
                f"`rows` must have {NUMBERS[log_format.dense_type]} in column "
                f"'{name}', and row {row} does not. Received: {value!r}"
            )


def _check_columns(columns: Iterable, names: Iterable[str]) -> None:
    present = list(columns)
    for name in names:
        if present.count(name) != 1:
            raise ValueError(
                f"`rows` must have the column '{name}' once. "
                f"Received: columns {present}"
            )


def _checked_dicts(rows: Any) -> list[dict]:
    if isinstance(rows, (list, tuple)):
        others = [row for row in rows if not isinstance(row, dict)]
        if not others:
            return list(rows)
        rows = others[0]
    raise ValueError(
        "`rows` must be a list of dicts, a pandas DataFrame or a pyarrow "
        f"Table. Received: {type(rows)}"
    )


def _arrow_column(column: pa.ChunkedArray, name: str, fractions: bool):
    text = as_text(column, fractions)
    if text is None:
        return _text_column(column.to_pylist(), name, fractions)
    return text


def _pandas_column(series: Any, name: str, fractions: bool):
    try:
        column = pa.chunked_array([pa.array(series, from_pandas=True)])
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        column = None  # Python objects of several types.
    # Mixed values are converted one by one: Arrow would cast them to one type.
    if column is not None and (
        series.dtype != object or pa.types.is_string(column.type)
    ):
        text = as_text(column, fractions)
        if text is not None:
            return text
    pairs = zip(series.to_list(), series.isna().to_list(), strict=True)
    values = [None if na else value for value, na in pairs]
    return _text_column(values, name, fractions)


def _dict_column(rows: list[dict], name: str, fractions: bool) -> pa.Array:
    for i, row in enumerate(rows):
        if name not in row:
            raise ValueError(
                f"`rows` must have a value for '{name}' (`None` if missing) "
                f"in every row. Received: row {i} with {sorted(row, key=str)}"
            )
    return _text_column([row[name] for row in rows], name, fractions)


def _text_column(values: list, name: str, fractions: bool) -> pa.Array:
    texts = [_text(v, name, i, fractions) for i, v in enumerate(values)]
    return pa.array(texts, pa.string())


def _text(value: Any, name: str, row: int, fractions: bool) -> str | None:
    # pandas.NA is recognized by name, so that pandas need not be installed.
    if value is None or type(value).__name__ == "NAType":
        return None
    if isinstance(value, str):
        return str(value)
    if isinstance(value, numbers.Integral) and not isinstance(value, bool):
        return str(int(value))
    if isinstance(value, numbers.Real) and not isinstance(value, bool):
        number = float(value)
        if np.isnan(number):
            return None
        if number.is_integer() and abs(number) <= LARGEST_EXACT:
            return str(int(number))
        if fractions:
            return repr(number)
    raise ValueError(
        f"`rows` must hold text, integers or missing values, and column "
        f"'{name}' of row {row} does not. Received: {value!r}"
    )
