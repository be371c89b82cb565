"""Turns columns with lists into lists of the texts that a raw log would hold.

A missing value becomes an empty list.
"""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from zoo.raw.columns import InexactFloat
from zoo.raw.columns import as_text
from zoo.raw.columns import is_list
from zoo.raw.columns import is_text
from zoo.raw.columns import without_missing

KINDS = "lists of text or integers, or text with {separator!r} between tokens"
"""What a column with lists may hold."""


def as_lists(
    column: pa.ChunkedArray, separator: str, missing: Sequence[str], floats: str
) -> pa.ListArray | None:
    """Turns a column into lists of text; `None` if it has another type.

    Args:
        column: `pyarrow.ChunkedArray` of lists, or of texts, which are split.
        separator: string of one character, between the tokens of a text.
        missing: strings. Texts that are a missing value, as the empty one is.
        floats: string, for the values of lists, see `zoo.raw.columns.as_text`.

    Raises:
        InexactFloat: for the first number that is no exact integer, with its
            row in the column.
    """
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if is_text(column.type):
        text = without_missing(column.cast(pa.string()), missing)
        column = pc.split_pattern(text, separator)
    if not is_list(column.type):
        return None
    lengths = pc.fill_null(pc.list_value_length(column), 0).to_numpy()
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    values = pc.list_flatten(column)
    try:
        texts = as_text(values, floats)
    except InexactFloat as error:
        # Of the row whose list the value is in.
        error.row = int(np.searchsorted(offsets, error.row, "right")) - 1
        raise
    if texts is None:
        return None
    return pa.ListArray.from_arrays(
        pa.array(offsets, pa.int32()), texts.combine_chunks()
    )
