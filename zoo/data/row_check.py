"""Checks encoded rows, fast enough for every batch."""

from collections.abc import Sequence

import numpy as np

from zoo.data.rows import shape_of_labels
from zoo.feature_schema import FeatureSchema

# NumPy reduces narrow arrays slowly along the first axis. So many rows are
# joined into one wide row: 65,536 rows of 26 ids take 0.16 ms instead of 2.6.
ROWS_SIDE_BY_SIDE = 64


def check_shapes(
    label_names: Sequence[str],
    inputs: dict[str, np.ndarray],
    labels: np.ndarray,
    weights: np.ndarray | None = None,
) -> None:
    """Raises unless arrays are the rows of a split, see `zoo.Split`."""
    rows = len(labels)
    lengths = {name: len(array) for name, array in inputs.items()}
    if not {"dense", "ids"} <= set(inputs) or set(lengths.values()) != {rows}:
        raise ValueError(
            "`inputs` must have the keys 'dense' and 'ids', each with as many "
            f"rows as `labels`. Received: inputs of {lengths} rows, "
            f"labels of {rows}"
        )
    for name, array in inputs.items():
        if np.ndim(array) != 2:
            raise ValueError(
                f"`inputs[{name!r}]` must have shape (rows, width). "
                f"Received: shape {np.shape(array)}"
            )
    expected = shape_of_labels(label_names, rows)
    if np.shape(labels) != expected:
        raise ValueError(
            f"`labels` must have shape {expected}, a column for each of "
            f"`label_names`, {list(label_names)}, if there are several. "
            f"Received: shape {np.shape(labels)}"
        )
    if weights is not None and np.shape(weights) != (rows,):
        raise ValueError(
            f"`weights` must have shape ({rows},), one a row. "
            f"Received: shape {np.shape(weights)}"
        )


def check_rows(
    schema: FeatureSchema,
    inputs: dict[str, np.ndarray],
    labels: np.ndarray,
    weights: np.ndarray | None = None,
) -> None:
    """Raises unless the values of encoded rows are in their range.

    Those of sequences are not looked at: `PaddedLists` checks them without
    their padding.

    Args:
        schema: `FeatureSchema`.
        inputs: `{"dense": (rows, num_dense) float32,
            "ids": (rows, num_fields) int32}`, both contiguous.
        labels: `(rows,)` int8, or with several labels `(rows, labels)`.
        weights: `(rows,)` float32. Defaults to `None`.

    Raises:
        ValueError: naming the column, for ids outside their field's
            vocabulary, NaN or infinity in the dense input, labels other than 0
            and 1 (or -1, missing, where there are several, and others are not
            missing), or weights that are negative or not finite.
    """
    sizes = np.array(schema.vocabulary_sizes)
    if not (
        (_largest_ids(inputs["ids"]) < sizes).all()
        and np.isfinite(inputs["dense"]).all()
    ):
        schema.check(inputs)
    if not len(labels):
        return
    if len(schema.labels) > 1:
        _check_several_labels(schema.labels, labels)
    elif labels.view("uint8").max() > 1:
        raise ValueError(
            f"`{schema.label}` must be 0 or 1. "
            f"Received: {np.unique(labels)[:5].tolist()}"
        )
    # A comparison with NaN is false.
    if weights is not None and not 0 <= weights.min() <= weights.max() < np.inf:
        row = int(np.argmin((weights >= 0) & (weights < np.inf)))
        raise ValueError(
            f"`{schema.weight}` must be finite and not negative. "
            f"Received: {weights[row]} in row {row}"
        )


def _check_several_labels(names, labels):
    if labels.min() < -1 or labels.max() > 1:
        row, place = np.argwhere((labels < -1) | (labels > 1))[0]
        raise ValueError(
            f"`{names[place]}` must be 0, 1, or -1 where it is missing. "
            f"Received: {labels[row, place]} in row {row}"
        )
    # Column by column: NumPy reduces short rows slowly.
    are_missing = labels[:, 0] < 0
    for i in range(1, len(names)):
        are_missing &= labels[:, i] < 0
    if are_missing.any():
        raise ValueError(
            f"A row must have one of the labels {list(names)} at least. "
            f"Received: none in row {int(np.argmax(are_missing))}"
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
