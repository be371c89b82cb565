"""Encoded rows: columns of the engine, matrices of the models."""

from collections.abc import Iterable
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet

ROW_GROUP_ROWS = 1 << 16
"""Rows in one group of the Parquet files: read and written at once."""


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


def file_schema(num_dense: int, num_fields: int) -> pa.Schema:
    """The columns of an encoded file.

    A log without integer columns has no column `dense`: Parquet can't hold
    lists of no items.
    """
    columns = [("label", pa.int8())]
    if num_dense:
        columns.append(("dense", pa.list_(pa.float32(), num_dense)))
    columns.append(("ids", pa.list_(pa.int32(), num_fields)))
    return pa.schema(columns)


def write_encoded(
    batches: Iterable[tuple[np.ndarray, dict[str, np.ndarray]]],
    path: Path,
    num_dense: int,
    vocabulary_sizes: list[int],
    on_rows: Any = lambda count: None,
) -> dict[str, Any]:
    """Writes encoded rows to a Parquet file.

    Args:
        batches: pairs of labels and `{"dense": ..., "ids": ...}`.
        path: path of the file.
        num_dense: integer. Number of dense columns.
        vocabulary_sizes: list of integers, one per field.
        on_rows: called with the number of rows in each batch written.

    Returns:
        dict with `rows`, `click_rate` and `distinct_ids`, which counts the ids
        of all fields together.
    """
    num_fields = len(vocabulary_sizes)
    schema = file_schema(num_dense, num_fields)
    seen: list[np.ndarray] = [np.zeros(size, bool) for size in vocabulary_sizes]
    rows = clicks = 0
    # Rows in a dictionary would save space, but ids hardly repeat in a row
    # group, and trying costs a third of the time.
    with pa.parquet.ParquetWriter(
        path, schema, compression="zstd", use_dictionary=False
    ) as writer:
        for label, inputs in batches:
            for i in range(num_fields):
                seen[i][inputs["ids"][:, i]] = True
            writer.write_batch(_encoded_batch(inputs, label, schema))
            rows += len(label)
            clicks += int(label.sum())
            on_rows(len(label))
    return {
        "rows": rows,
        "click_rate": clicks / rows,
        "distinct_ids": int(sum(mask.sum() for mask in seen)),
    }


def _encoded_batch(
    inputs: dict[str, np.ndarray], label: np.ndarray, schema: pa.Schema
) -> pa.RecordBatch:
    columns = [pa.array(label)]
    for name in schema.names[1:]:
        matrix = inputs[name]
        columns.append(
            pa.FixedSizeListArray.from_arrays(
                pa.array(matrix.reshape(-1)), type=schema.field(name).type
            )
        )
    return pa.record_batch(columns, schema=schema)
