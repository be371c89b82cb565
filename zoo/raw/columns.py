"""Turns columns of any type into the text that a raw log would hold."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

TEXT, INTEGER, BOOLEAN = "text", "integer", "boolean"
"""The kinds of columns whose values become tokens."""


def is_text(column_type: pa.DataType) -> bool:
    """Whether a column holds text, or nothing at all."""
    return (
        pa.types.is_string(column_type)
        or pa.types.is_large_string(column_type)
        or pa.types.is_string_view(column_type)
        or pa.types.is_null(column_type)
    )


def has_one_text(column_type: pa.DataType) -> bool:
    """Whether there is one way only to write the values of a type."""
    return (
        is_text(column_type)
        or pa.types.is_integer(column_type)
        or pa.types.is_boolean(column_type)
        or pa.types.is_date32(column_type)
    )


def is_list(column_type: pa.DataType) -> bool:
    """Whether the values of a column are lists."""
    return (
        pa.types.is_list(column_type)
        or pa.types.is_large_list(column_type)
        or pa.types.is_fixed_size_list(column_type)
        or pa.types.is_list_view(column_type)
        or pa.types.is_large_list_view(column_type)
    )


def kind_of(column_type: pa.DataType) -> str | None:
    """The kind of a column or of its lists' items; `None` if it is empty."""
    if is_list(column_type):
        column_type = column_type.value_type
    if pa.types.is_dictionary(column_type):
        column_type = column_type.value_type
    if pa.types.is_null(column_type):
        return None
    if pa.types.is_boolean(column_type):
        return BOOLEAN
    if (
        pa.types.is_integer(column_type)
        or pa.types.is_floating(column_type)
        or pa.types.is_decimal(column_type)
    ):
        return INTEGER
    return TEXT


def remedy_of(column_type: pa.DataType) -> str:
    """Returns what to do about a column that `as_text` can't take."""
    if pa.types.is_temporal(column_type):
        return "write it as the text that the model is to learn from"
    if pa.types.is_binary(column_type) or pa.types.is_large_binary(column_type):
        return "decode it to text"
    if is_list(column_type):
        return (
            "name it in `LogFormat(sequences=...)`, or give each of its "
            "values a column"
        )
    if pa.types.is_struct(column_type):
        return "give each of its values a column"
    return "cast it to text"


def as_text(column: pa.ChunkedArray, floats: str) -> pa.ChunkedArray | None:
    """Turns a column into text; `None` if its type has no certain meaning.

    Text and integers are taken as they are, booleans as `true` and `false`,
    and dates as `2024-01-31`. NaN is missing. Floats and decimals must be exact
    integers (pandas turns integers beside missing values into floats) where
    `floats` does not allow more.

    Args:
        column: `pyarrow.ChunkedArray`.
        floats: string. `"integral"` for exact integers, `"exact"` for
            fractions as well, `"any"` for all floats.

    Raises:
        InexactFloat: for the first number that is no exact integer.
    """
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    column_type = column.type
    if has_one_text(column_type):
        return column.cast(pa.string())
    if pa.types.is_decimal(column_type):
        return _decimals_as_text(column, floats)
    if not pa.types.is_floating(column_type):
        return None
    limit = largest_exact(column_type)
    if pa.types.is_float16(column_type):
        # Arrow computes nothing with it.
        column = column.cast(pa.float32())
    values = pc.if_else(pc.is_nan(column), pa.scalar(None, column.type), column)
    if floats == "any":
        return values.cast(pa.string())
    is_integral = pc.equal(pc.floor(values), values)
    is_good = pc.less_equal(pc.abs(values), float(limit))
    if floats == "integral":
        is_good = pc.and_(is_good, is_integral)
    row = pc.index(is_good, False).as_py()
    if row >= 0:
        at_most = f" of at most 2**{limit.bit_length() - 1}"
        raise InexactFloat(row, values[row].as_py(), column_type, at_most)
    if pc.all(is_integral, min_count=0).as_py():
        values = values.cast(pa.int64())
    return values.cast(pa.string())


def _decimals_as_text(column: pa.ChunkedArray, floats: str) -> pa.ChunkedArray:
    if floats != "any":
        is_integral = pc.equal(pc.floor(column), column)
        row = pc.index(is_integral, False).as_py()
        if row >= 0 and floats == "integral":
            raise InexactFloat(row, str(column[row].as_py()), column.type)
        if row < 0:
            digits = column.type.precision - column.type.scale
            whole = pa.decimal128(max(digits, 1), 0)
            return column.cast(whole).cast(pa.string())
    return column.cast(pa.string())


def largest_exact(column_type: pa.DataType) -> int:
    """Returns the largest integer that a float tells from its neighbours."""
    return 2 ** (np.finfo(column_type.to_pandas_dtype()).nmant + 1)


def without_missing(
    text: pa.Array | pa.ChunkedArray, missing: Sequence[str]
) -> pa.Array | pa.ChunkedArray:
    """Returns texts, with null for those that stand for a missing value.

    Args:
        text: the texts.
        missing: strings. Texts that are a missing value, as the empty one is.
    """
    is_missing = pc.is_in(text, pa.array(["", *missing], text.type))
    return pc.if_else(is_missing, pa.scalar(None, text.type), text)


class InexactFloat(ValueError):
    """A number that may not be the integer that was meant.

    Attributes:
        row: integer. Its place in the column, from 0.
        received: string. The number and its type.
        rule: string. What such a column must hold.
    """

    def __init__(
        self, row: int, value: Any, column_type: pa.DataType, at_most: str = ""
    ):
        self.row = row
        self.received = f"{value!r}, a {column_type}"
        self.rule = f"text, integers or integral floats{at_most}"
        super().__init__(f"{self.rule}. Received: {self.received}")
