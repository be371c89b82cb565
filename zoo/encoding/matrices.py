"""Columns of an engine as the matrices of the models."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa


def matrices(
    rows: pa.Table | pa.RecordBatch, num_dense: int, fields: Sequence[int]
) -> dict[str, np.ndarray]:
    """Puts the columns `dense_...` and `field_...` side by side."""
    dense = np.empty((rows.num_rows, num_dense), "float32")
    for i in range(num_dense):
        dense[:, i] = rows.column(f"dense_{i}").to_numpy()
    ids = np.empty((rows.num_rows, len(fields)), "int32")
    for i, field in enumerate(fields):
        ids[:, i] = rows.column(f"field_{field}").to_numpy()
    return {"dense": dense, "ids": ids}
