"""Gradients that hold only the rows of a batch, on TensorFlow and PyTorch.

JAX has none: there every gradient is as large as its table.
"""

from typing import Any
from typing import NamedTuple

import keras

Tensor = Any


class RowGradient(NamedTuple):
    """The gradient of the rows of a table that a batch looked up.

    Attributes:
        ids: `(rows,)` integers, each once.
        values: `(rows, embedding_dim)`.
        counts: `(rows,)` float32, how often the batch has each id.
    """

    ids: Tensor
    values: Tensor
    counts: Tensor


def row_gradient(gradient: Tensor, counts: Tensor) -> RowGradient | None:
    """Returns a table's gradient by rows, or `None` if it is a dense one.

    Args:
        gradient: of the table, as the backend gives it.
        counts: gradient of the table's `id_counts`; read on PyTorch alone.
    """
    backend = keras.backend.backend()
    if backend == "torch" and gradient.is_sparse:
        # More than one lookup of the table adds to an uncoalesced sum.
        gradient, counts = gradient.coalesce(), counts.coalesce()
        return RowGradient(
            gradient.indices()[0], gradient.values(), counts.values()
        )
    if backend == "tensorflow":
        import tensorflow as tf

        if isinstance(gradient, tf.IndexedSlices):
            return _sum_slices(gradient)
    return None


def densified(gradient: Tensor, shape: tuple[int, ...]) -> Tensor:
    """Returns the gradient as large as its table.

    TensorFlow's slices become a sum here; Keras' `convert_to_tensor` would
    leave a row that was looked up twice in two pieces. The shape is the
    variable's, for XLA must know it, and that of the slices is a tensor.
    """
    backend = keras.backend.backend()
    if backend == "torch" and gradient.is_sparse:
        return gradient.to_dense()
    if backend == "tensorflow":
        import tensorflow as tf

        if isinstance(gradient, tf.IndexedSlices):
            return tf.math.unsorted_segment_sum(
                gradient.values, gradient.indices, shape[0]
            )
    return gradient


def read_rows(variable: keras.Variable, ids: Tensor) -> Tensor:
    """Returns the rows `ids`, without reading the others."""
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        # Keras reads the whole variable first, and TensorFlow copies what it
        # reads of a variable that rows were written into.
        return tf.gather(variable.value, ids)
    return keras.ops.take(variable, ids, axis=0)


def write_rows(variable: keras.Variable, ids: Tensor, rows: Tensor) -> None:
    """Puts `rows` in the place of the rows `ids`, each of which occurs once."""
    if keras.backend.backend() == "torch":
        variable.value.detach().index_copy_(0, ids, rows)
        return
    import tensorflow as tf

    variable.value.scatter_update(tf.IndexedSlices(rows, ids))


def _sum_slices(slices) -> RowGradient:
    import tensorflow as tf

    # Not `unique_with_counts`, which XLA does not compile.
    ids, positions = tf.unique(slices.indices)
    rows = tf.size(ids)
    ones = tf.ones_like(positions, dtype=tf.float32)
    return RowGradient(
        ids,
        tf.math.unsorted_segment_sum(slices.values, positions, rows),
        tf.math.unsorted_segment_sum(ones, positions, rows),
    )
