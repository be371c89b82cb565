"""Turns columns of any type into the text that a raw log would hold."""

import pyarrow as pa
import pyarrow.compute as pc

# Above it, floats can't tell neighbouring integers apart.
LARGEST_EXACT = 2**53


def as_text(
    column: pa.ChunkedArray, allow_fractions: bool
) -> pa.ChunkedArray | None:
    """Turns a column into text; `None` if its meaning is not certain.

    Text and integers are taken as they are. Floats must be integral: pandas
    turns integers beside missing values into floats. NaN is missing.

    Args:
        column: `pyarrow.ChunkedArray`.
        allow_fractions: boolean. Whether floats may have fractions.
    """
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    kind = column.type
    if (
        pa.types.is_string(kind)
        or pa.types.is_large_string(kind)
        or pa.types.is_integer(kind)
        or pa.types.is_null(kind)
    ):
        return column.cast(pa.string())
    if not pa.types.is_floating(kind):
        return None
    values = pc.if_else(pc.is_nan(column), pa.scalar(None, kind), column)
    if allow_fractions:
        return values.cast(pa.string())
    if not is_integral(values):
        return None
    return values.cast(pa.int64()).cast(pa.string())


def is_integral(column: pa.ChunkedArray) -> bool:
    """Whether all floats of a column are exact integers."""
    exact = pc.and_(
        pc.equal(pc.floor(column), column),
        pc.less_equal(pc.abs(column), float(LARGEST_EXACT)),
    )
    return pc.all(exact, min_count=0).as_py()
