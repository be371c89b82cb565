"""Turns rows in memory into the text that a raw log would hold."""

import numbers
from collections.abc import Collection
from collections.abc import Iterable
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from zoo.raw.bad_line import NUMBERS
from zoo.raw.bad_line import broken_rule_of_row
from zoo.raw.bad_line import broken_rule_of_value
from zoo.raw.bad_line import split_list
from zoo.raw.columns import BOOLEAN
from zoo.raw.columns import INTEGER
from zoo.raw.columns import TEXT
from zoo.raw.columns import InexactFloat
from zoo.raw.columns import as_text
from zoo.raw.columns import is_text
from zoo.raw.columns import kind_of
from zoo.raw.columns import largest_exact
from zoo.raw.list_values import KINDS
from zoo.raw.list_values import as_lists
from zoo.raw.log_format import LogFormat

# What Arrow raises for values of several types, very long integers, and text
# that is not Unicode.
_NOT_ARROWS = (
    *(pa.ArrowInvalid, pa.ArrowTypeError),
    *(OverflowError, UnicodeEncodeError),
)


def raw_table(
    rows: Any, log_format: LogFormat, fractions: Collection[str] = ()
) -> tuple[pa.Table, dict[str, str]]:
    """Turns rows into `raw` of `zoo.encoding.sql`, without labels.

    Args:
        rows: list of dicts, pandas DataFrame or pyarrow Table with (at least)
            the dense and categorical columns of the log, and those with
            lists. Text and integers are taken as they are; a float must be
            integral, because pandas turns integers beside missing values into
            floats. `None`, `NaN` and `""` are missing.
        log_format: `LogFormat`.
        fractions: names of the categorical columns whose floats may have
            fractions.

    Returns:
        The table, and the kind of each column whose values become ids, see
        `zoo.raw.columns`.

    Raises:
        ValueError: naming column and row, for a missing column or a value of
            another kind.
    """
    unlabeled = log_format.unlabeled()
    names = unlabeled.used
    allowed = dict.fromkeys(fractions, "exact")
    if log_format.dense_type == "float":
        allowed |= dict.fromkeys(log_format.dense, "any")
    if isinstance(rows, pa.Table):
        _check_columns(rows.column_names, names)
        read, read_lists = _arrow_column, _arrow_lists
    elif hasattr(rows, "columns") and hasattr(rows, "iloc"):
        _check_columns(rows.columns, names)
        read, read_lists = _pandas_column, _pandas_lists
    else:
        rows = _checked_dicts(rows)
        read, read_lists = _dict_column, _dict_lists
    columns, kinds = {}, {}
    for name in names:
        floats = allowed.get(name, "integral")
        if name in log_format.sequences:
            columns[name], kinds[name] = read_lists(
                rows, name, log_format, floats
            )
            continue
        columns[name], kinds[name] = read(rows, name, floats)
        if name in log_format.dense and kinds[name] == BOOLEAN:
            columns[name] = _as_numbers(columns[name])
    sql_names = unlabeled.sql_names(names)
    row_id = pa.array(np.arange(len(rows), dtype="int64"))
    raw = pa.table([row_id, *columns.values()], ["row_id", *sql_names])
    return raw, {n: kinds[n] or TEXT for n in log_format.token_columns}


def _as_numbers(text: Any) -> Any:
    """`true` as 1 and `false` as 0, others as they are."""
    for boolean, number in (("true", "1"), ("false", "0")):
        text = pc.if_else(pc.equal(text, boolean), number, text)
    return text


def raise_bad_row(raw: pa.Table, row: int, log_format: LogFormat) -> None:
    """Raises for the first rule that the features of a row break.

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
    lengths = {
        name: len(raw[f"sequence_{i}"][row])
        for i, name in enumerate(log_format.sequences)
    }
    rule, received = broken_rule_of_row({}, lengths, log_format.unlabeled())
    if rule:
        raise ValueError(f"`rows`, row {row}: {rule} Received: {received}")


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
    except _NOT_ARROWS:
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
    values = _values(rows, name)
    try:
        column = pa.array(values)
    except _NOT_ARROWS:
        pass  # Several types, or one that Arrow does not know.
    else:
        # Others may be mixed: Arrow takes a 1 beside a 0.5 for a float.
        if pa.types.is_string(column.type):
            return column, TEXT
        if is_text(column.type) or pa.types.is_integer(column.type):
            return column.cast(pa.string()), kind_of(column.type)
    return _text_column(values, name, floats), _kind_of_values(values)


def _values(rows: list[dict], name: str) -> list:
    try:
        return [row[name] for row in rows]
    except KeyError:
        i = next(i for i, row in enumerate(rows) if name not in row)
        raise ValueError(
            f"`rows` must have a value for '{name}' (`None` if missing) in "
            f"every row. Received: row {i} with {sorted(rows[i], key=str)}"
        ) from None


def _arrow_lists(rows: pa.Table, name: str, log_format: LogFormat, floats: str):
    lists = _as_lists(rows[name], name, log_format, floats)
    if lists is None:
        values = rows[name].to_pylist()
        return _lists_one_by_one(values, name, log_format, floats)
    return lists, kind_of(rows.schema.field(name).type)


def _pandas_lists(rows: Any, name: str, log_format: LogFormat, floats: str):
    return _lists_of_values(rows[name].to_list(), name, log_format, floats)


def _dict_lists(
    rows: list[dict], name: str, log_format: LogFormat, floats: str
):
    return _lists_of_values(_values(rows, name), name, log_format, floats)


def _lists_of_values(
    values: list, name: str, log_format: LogFormat, floats: str
):
    try:
        column = pa.chunked_array([pa.array(values, from_pandas=True)])
    except _NOT_ARROWS:
        column = None  # Lists of several types, or lists beside texts.
    if column is not None:
        lists = _as_lists(column, name, log_format, floats)
        if lists is not None:
            return lists, kind_of(column.type)
    return _lists_one_by_one(values, name, log_format, floats)


def _as_lists(
    column: pa.ChunkedArray, name: str, log_format: LogFormat, floats: str
):
    separator = log_format.sequences[name].separator
    missing = log_format.missing_in(name)
    try:
        return as_lists(column, separator, missing, floats)
    except InexactFloat as error:
        raise _inexact(error, name) from None


def _lists_one_by_one(
    values: list, name: str, log_format: LogFormat, floats: str
):
    lists = [_list(v, name, row, log_format) for row, v in enumerate(values)]
    texts = [
        _text(token, name, row, floats)
        for row, tokens in enumerate(lists)
        for token in tokens
    ]
    offsets = pa.array(np.cumsum([0, *map(len, lists)]), pa.int32())
    array = pa.ListArray.from_arrays(offsets, pa.array(texts, pa.string()))
    return array, _kind_of_values([t for tokens in lists for t in tokens])


def _list(value: Any, name: str, row: int, log_format: LogFormat) -> list:
    if _is_missing(value):
        return []
    if isinstance(value, str):
        return split_list(value, name, log_format)
    if isinstance(value, list | tuple | np.ndarray):
        return list(value)
    kinds = KINDS.format(separator=log_format.sequences[name].separator)
    raise ValueError(
        f"`rows` must hold {kinds} in column '{name}', and row {row} does not. "
        f"Received: {value!r}"
    )


def _as_text(column: pa.ChunkedArray, name: str, floats: str):
    try:
        return as_text(column, floats)
    except InexactFloat as error:
        raise _inexact(error, name) from None


def _inexact(error: InexactFloat, name: str) -> ValueError:
    return ValueError(
        f"`rows` must hold {error.rule}, and column '{name}' of row "
        f"{error.row} does not. Received: {error.received}"
    )


def _kind_of_values(values: list) -> str:
    if any(isinstance(value, bool | np.bool_) for value in values):
        return BOOLEAN
    numeric = any(isinstance(value, numbers.Real) for value in values)
    return INTEGER if numeric else TEXT


def _text_column(values: list, name: str, floats: str) -> pa.Array:
    texts = [_text(v, name, i, floats) for i, v in enumerate(values)]
    return pa.array(texts, pa.string())


def _text(value: Any, name: str, row: int, floats: str) -> str | None:
    if _is_missing(value):
        return None
    if isinstance(value, str):
        _check_unicode(value, name, row)
        return str(value)
    if isinstance(value, bool | np.bool_):
        return str(bool(value)).lower()
    if isinstance(value, numbers.Integral):
        return str(int(value))
    if isinstance(value, numbers.Real):
        number = float(value)
        dtype = value.dtype if isinstance(value, np.floating) else "float64"
        is_exact = abs(number) <= largest_exact(pa.from_numpy_dtype(dtype))
        if number.is_integer() and is_exact:
            return str(int(number))
        if floats == "any" or (floats == "exact" and is_exact):
            return repr(number)
    raise ValueError(
        f"`rows` must hold text, integers or missing values, and column "
        f"'{name}' of row {row} does not. Received: {value!r}"
    )


def _is_missing(value: Any) -> bool:
    # pandas.NA is recognized by name, so that pandas need not be installed.
    if value is None or type(value).__name__ == "NAType":
        return True
    # NaN differs from itself.
    return isinstance(value, numbers.Real) and value != value


def _check_unicode(value: str, name: str, row: int) -> None:
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        raise ValueError(
            "`rows` must hold text in Unicode, without half a surrogate pair, "
            f"and column '{name}' of row {row} does not. Received: {value!r}"
        ) from None
