"""Checks encoded rows, fast enough for every batch."""

import numpy as np

from zoo.feature_schema import FeatureSchema

# NumPy reduces narrow arrays slowly along the first axis. So many rows are
# joined into one wide row: 65,536 rows of 26 ids take 0.16 ms instead of 2.6.
ROWS_SIDE_BY_SIDE = 64


def check_rows(
    schema: FeatureSchema, inputs: dict[str, np.ndarray], labels: np.ndarray
) -> None:
    """Raises unless the values of encoded rows are in their range.

    Args:
        schema: `FeatureSchema`.
        inputs: `{"dense": (rows, num_dense) float32,
            "ids": (rows, num_fields) int32}`, both contiguous.
        labels: `(rows,)` int8.

    Raises:
        ValueError: naming the column, for ids outside their field's
            vocabulary, NaN or infinity in the dense input, or labels other
            than 0 and 1.
    """
    sizes = np.array(schema.vocabulary_sizes)
    if not (
        (_largest_ids(inputs["ids"]) < sizes).all()
        and np.isfinite(inputs["dense"]).all()
    ):
        schema.check(inputs)
    if len(labels) and labels.view("uint8").max() > 1:
        raise ValueError(
            f"`{schema.label}` must be 0 or 1. "
            f"Received: {np.unique(labels)[:5].tolist()}"
        )


def _largest_ids(ids):
    # As unsigned integers, negative ids are larger than any vocabulary.
    ids = ids.view("uint32")
    rows, fields = ids.shape
    side_by_side = rows - rows % ROWS_SIDE_BY_SIDE
    wide = ids[:side_by_side].reshape(-1, ROWS_SIDE_BY_SIDE * fields)
    largest = wide.max(axis=0, initial=0).reshape(ROWS_SIDE_BY_SIDE, fields)
    rest = ids[side_by_side:].max(axis=0, initial=0)
    return np.maximum(largest.max(axis=0), rest)
