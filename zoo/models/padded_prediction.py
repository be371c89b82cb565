"""Predicts batches of any length without compiling for each length."""

import contextlib
import threading

import keras
import numpy as np

from zoo.models.ctr_model import CTRModel

# On JAX a call takes the weights away from the model until it ends.
_one_call_at_a_time: contextlib.AbstractContextManager = (
    threading.Lock()
    if keras.backend.backend() == "jax"
    else contextlib.nullcontext()
)


def predict_padded(
    model: CTRModel, batch: dict[str, np.ndarray], batch_size: int
) -> np.ndarray:
    """Returns the probabilities of each row of a batch.

    Several threads may call it with the same model.

    Args:
        model: a model of the zoo.
        batch: dict of arrays as `model.schema.inputs()` has them, at least one
            row.
        batch_size: integer. The number of rows of a whole batch; this one may
            have fewer.

    Returns:
        `(rows, labels)` float32.
    """
    padded = _padded(batch, batch_size)
    with _one_call_at_a_time:
        predicted = model.predict_on_batch(padded)
    if isinstance(predicted, dict):
        columns = [predicted[label] for label in model.schema.labels]
        predicted = np.concatenate(columns, axis=1)
    return predicted[: len(batch["ids"])]


def _padded(
    batch: dict[str, np.ndarray], batch_size: int
) -> dict[str, np.ndarray]:
    """Pads a batch with zeros to a power of two or a whole batch.

    JAX and TensorFlow compile a network for each number of rows, which takes
    longer than scoring the rows.
    """
    length = len(batch["ids"])
    padded = min(1 << (length - 1).bit_length(), batch_size)
    if padded <= length:
        return batch
    return {
        name: np.concatenate(
            [array, np.zeros((padded - length, array.shape[1]), array.dtype)]
        )
        for name, array in batch.items()
    }
