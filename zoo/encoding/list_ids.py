"""Puts the ids of events, which SQL yields in any order, where they belong."""

from collections.abc import Iterable

import numpy as np
import pyarrow as pa


def row_lengths(
    batches: Iterable[pa.RecordBatch], first_row: int, num_rows: int
) -> np.ndarray:
    """The lengths of the lists of consecutive rows.

    Args:
        batches: the columns `row_id` and `length`, in any order.
        first_row: integer. Number of the first of the rows.
        num_rows: integer.
    """
    lengths: np.ndarray = np.zeros(num_rows, "int32")
    for batch in batches:
        rows = batch.column("row_id").to_numpy() - first_row
        lengths[rows] = batch.column("length").to_numpy()
    return lengths


def place_ids(
    batches: Iterable[pa.RecordBatch],
    first_row: int,
    starts: np.ndarray,
    ids: np.ndarray,
) -> None:
    """Writes ids to their places.

    Args:
        batches: the columns `row_id`, `position`, from 1, and `id`, in any
            order.
        first_row: integer. Number of the row that `starts` begins with.
        starts: integers, the place of each row's first event.
        ids: int32 array to write to.
    """
    for batch in batches:
        rows = batch.column("row_id").to_numpy() - first_row
        places = starts[rows] + batch.column("position").to_numpy() - 1
        ids[places] = batch.column("id").to_numpy()
