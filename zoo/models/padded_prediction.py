"""Predicts batches of any length without compiling for each length."""

import contextlib
import threading
from collections.abc import Sequence

import keras
import numpy as np

# On JAX a call takes the weights away from the model until it ends.
_one_call_at_a_time: contextlib.AbstractContextManager = (
    threading.Lock()
    if keras.backend.backend() == "jax"
    else contextlib.nullcontext()
)


def predict_padded(
    model: keras.Model,
    batch: dict[str, np.ndarray],
    batch_size: int,
    labels: Sequence[str],
) -> np.ndarray:
    """Returns the probabilities of each row of a batch.

    Several threads may call it with the same model.

    Args:
        model: `keras.Model`.
        batch: dict of arrays as `schema.inputs()` has them, at least one row.
        batch_size: integer. The number of rows of a whole batch; this one may
            have fewer.
        labels: strings, of the log.

    Returns:
        `(rows, labels)` float32.
    """
    padded = _padded(batch, batch_size)
    with _one_call_at_a_time:
        predicted = model.predict_on_batch(padded)
    if isinstance(predicted, dict):
        columns = [predicted[label] for label in labels]
        predicted = np.concatenate(columns, axis=1)
    return predicted[: len(batch["ids"])]


def padded_sizes(batch_size: int, max_rows: int) -> list[int]:
    """Returns the numbers of rows that batches of up to `max_rows` get.

    Args:
        batch_size: integer. The number of rows of a whole batch.
        max_rows: integer.
    """
    sizes = [_padded_size(1, batch_size)]
    while sizes[-1] < min(max_rows, batch_size):
        sizes.append(_padded_size(sizes[-1] + 1, batch_size))
    return sizes


def _padded_size(rows: int, batch_size: int) -> int:
    """The next power of four, or a whole batch.

    JAX and TensorFlow compile a network for each number of rows, which takes
    longer than scoring the rows.
    """
    power = (rows - 1).bit_length()
    return min(1 << (power + power % 2), max(batch_size, rows))


def _padded(
    batch: dict[str, np.ndarray], batch_size: int
) -> dict[str, np.ndarray]:
    """Pads a batch with zeros."""
    rows = len(batch["ids"])
    # PyTorch compiles nothing.
    if keras.backend.backend() == "torch":
        return batch
    padding = _padded_size(rows, batch_size) - rows
    return {
        name: np.concatenate(
            [array, np.zeros((padding, array.shape[1]), array.dtype)]
        )
        for name, array in batch.items()
    }
