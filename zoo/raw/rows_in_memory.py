"""Turns rows in memory into the text that a raw log would hold."""

import numbers
from collections.abc import Collection
from collections.abc import Iterable
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from zoo.raw.bad_line import NUMBERS
from zoo.raw.bad_line import broken_rule_of_value
from zoo.raw.columns import BOOLEAN
from zoo.raw.columns import INTEGER
from zoo.raw.columns import TEXT
from zoo.raw.columns import InexactFloat
from zoo.raw.columns import as_text
from zoo.raw.columns import kind_of
from zoo.raw.columns import largest_exact
from zoo.raw.log_format import LogFormat


def raw_table(
    rows: Any, log_format: LogFormat, fractions: Collection[str] = ()
) -> tuple[pa.Table, dict[str, str]]:
    """Turns rows into `raw` of `zoo.encoding.sql`, without labels.

    Args:
        rows: list of dicts, pandas DataFrame or pyarrow Table with (at least)
            the dense and categorical columns of the log. Text and integers
            are taken as they are; a float must be integral, because pandas
            turns integers beside missing values into floats. `None`, `NaN`
            and `""` are missing.
        log_format: `LogFormat`.
        fractions: names of the categorical columns whose floats may have
            fractions.

    Returns:
        The table, and the kind of each categorical column, see
        `zoo.raw.columns`.

    Raises:
        ValueError: naming column and row, for a missing column or a value of
            another kind.
    """
    names = (*log_format.dense, *log_format.categorical)
    floats = dict.fromkeys(fractions, "exact")
    if log_format.dense_type == "float":
        floats |= dict.fromkeys(log_format.dense, "any")
    if isinstance(rows, pa.Table):
        _check_columns(rows.column_names, names)
        read, num_rows = _arrow_column, rows.num_rows
    elif hasattr(rows, "columns") and hasattr(rows, "iloc"):
        _check_columns(rows.columns, names)
        read, num_rows = _pandas_column, len(rows)
    else:
        rows = _checked_dicts(rows)
        read, num_rows = _dict_column, len(rows)
    columns, kinds = {}, {}
    for name in names:
        columns[name], kinds[name] = read(
            rows, name, floats.get(name, "integral")
        )
        if name in log_format.dense and kinds[name] == BOOLEAN:
            columns[name] = _as_numbers(columns[name])
    roles = [f"dense_{i}" for i in range(len(log_format.dense))]
    roles += [f"field_{i}" for i in range(len(log_format.categorical))]
    row_id = pa.array(np.arange(num_rows, dtype="int64"))
    raw = pa.table([row_id, *columns.values()], ["row_id", *roles])
    return raw, {n: kinds[n] or TEXT for n in log_format.categorical}


def _as_numbers(text: Any) -> Any:
    """`true` as 1 and `false` as 0, others as they are."""
    for boolean, number in (("true", "1"), ("false", "0")):
        text = pc.if_else(pc.equal(text, boolean), number, text)
    return text


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


def _arrow_column(rows: pa.Table, name: str, floats: str):
    column = rows[name]
    text = _as_text(column, name, floats)
    if text is None:
        text = _text_column(column.to_pylist(), name, floats)
    return text, kind_of(column.type)


def _pandas_column(rows: Any, name: str, floats: str):
    series = rows[name]
    try:
        column = pa.chunked_array([pa.array(series, from_pandas=True)])
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        column = None  # Python objects of several types.
    # Mixed values are converted one by one: Arrow would cast them to one type.
    if column is not None and (
        series.dtype != object or pa.types.is_string(column.type)
    ):
        text = _as_text(column, name, floats)
        if text is not None:
            return text, kind_of(column.type)
    pairs = zip(series.to_list(), series.isna().to_list(), strict=True)
    values = [None if na else value for value, na in pairs]
    return _text_column(values, name, floats), _kind_of_values(values)


def _dict_column(rows: list[dict], name: str, floats: str):
    for i, row in enumerate(rows):
        if name not in row:
            raise ValueError(
                f"`rows` must have a value for '{name}' (`None` if missing) "
                f"in every row. Received: row {i} with {sorted(row, key=str)}"
            )
    values = [row[name] for row in rows]
    return _text_column(values, name, floats), _kind_of_values(values)


def _as_text(column: pa.ChunkedArray, name: str, floats: str):
    try:
        return as_text(column, floats)
    except InexactFloat as error:
        raise ValueError(
            f"`rows` must hold {error.rule}, and column '{name}' of row "
            f"{error.row} does not. Received: {error.received}"
        ) from None


def _kind_of_values(values: list) -> str:
    if any(isinstance(value, bool | np.bool_) for value in values):
        return BOOLEAN
    numeric = any(isinstance(value, numbers.Real) for value in values)
    return INTEGER if numeric else TEXT


def _text_column(values: list, name: str, floats: str) -> pa.Array:
    texts = [_text(v, name, i, floats) for i, v in enumerate(values)]
    return pa.array(texts, pa.string())


def _text(value: Any, name: str, row: int, floats: str) -> str | None:
    # pandas.NA is recognized by name, so that pandas need not be installed.
    if value is None or type(value).__name__ == "NAType":
        return None
    if isinstance(value, str):
        return str(value)
    if isinstance(value, bool | np.bool_):
        return str(bool(value)).lower()
    if isinstance(value, numbers.Integral):
        return str(int(value))
    if isinstance(value, numbers.Real):
        number = float(value)
        if np.isnan(number):
            return None
        kind = value.dtype if isinstance(value, np.floating) else "float64"
        limit = largest_exact(pa.from_numpy_dtype(kind))
        is_exact = abs(number) <= limit
        if number.is_integer() and is_exact:
            return str(int(number))
        if floats == "any" or (floats == "exact" and is_exact):
            return repr(number)
    raise ValueError(
        f"`rows` must hold text, integers or missing values, and column "
        f"'{name}' of row {row} does not. Received: {value!r}"
    )
