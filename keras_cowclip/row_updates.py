"""Gradients that hold only the rows of a batch, on TensorFlow and PyTorch.

On JAX every gradient is as large as its table, and `present_rows` finds them.
"""

from collections.abc import Callable
from typing import Any
from typing import NamedTuple

import keras

from keras_cowclip.one_pass import in_one_pass
from keras_cowclip.present_rows import takes_rounds
from keras_cowclip.vector_rows import columns_short

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


def densified(
    gradient: Tensor, shape: tuple[int, ...], may_pad: bool = False
) -> Tensor:
    """Returns the gradient as large as its table.

    TensorFlow's slices become a sum here; Keras' `convert_to_tensor` would
    leave a row that was looked up twice in two pieces.

    Args:
        gradient: of a variable, as the backend gives it.
        shape: the variable's, for XLA must know it, and that of the slices is
            a tensor.
        may_pad: whether TensorFlow may sum longer rows, which takes XLA less
            time, and the operation a little more.
    """
    backend = keras.backend.backend()
    if backend == "torch" and gradient.is_sparse:
        return gradient.to_dense()
    if backend == "tensorflow":
        import tensorflow as tf

        if isinstance(gradient, tf.IndexedSlices):
            sum_rows = _sum_in_vectors if may_pad else _sum
            return sum_rows(gradient.values, gradient.indices, shape[0])
    return gradient


def gradient_ids(gradient: Tensor) -> Tensor | None:
    """Returns the ids of the rows in TensorFlow's slices, else `None`."""
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        if isinstance(gradient, tf.IndexedSlices):
            return gradient.indices
    return None


def one_elsewhere(
    clip_factor: Callable[..., Tensor],
    ids: Tensor | None,
    gradient: Tensor,
    table: Tensor,
    counts: Tensor,
) -> Tensor:
    """Returns `clip_factor(gradient, table, counts)`, a factor for each row.

    For one that is 1 where a row has no gradient: where few rows have one, and
    the backend can tell, only those are computed.

    Args:
        clip_factor: from `(gradient, table, counts)` of some rows.
        ids: `(lookups,)` integers, which may repeat, of the rows that have a
            gradient; `None` if all may.
        gradient: `(input_dim, embedding_dim)`, without the l2.
        table: `(input_dim, embedding_dim)`.
        counts: `(input_dim,)`, how often the batch has each id.
    """
    rows = gradient, table, counts
    if ids is not None:
        return _one_elsewhere_on_tensorflow(clip_factor, ids, *rows)
    if takes_rounds(gradient):
        return _one_elsewhere_on_jax(clip_factor, *rows)
    return clip_factor(*rows)


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


def _one_elsewhere_on_tensorflow(clip_factor, ids, *rows):
    import tensorflow as tf

    num_rows = rows[0].shape[0]

    def of_ids():
        factor = clip_factor(*(tf.gather(array, ids) for array in rows))
        ones = tf.ones((num_rows,), factor.dtype)
        return tf.tensor_scatter_nd_update(ones, ids[:, None], factor)

    # How many they are XLA knows when it compiles, and Keras' trace does not.
    return tf.cond(tf.size(ids) < num_rows, of_ids, lambda: clip_factor(*rows))


def _one_elsewhere_on_jax(clip_factor, *rows):
    from jax import lax

    from keras_cowclip.jax_rounds import update_in_rounds

    def of_all():
        return clip_factor(*rows)

    def of_few():
        gradient, _, counts = rows
        # Those of the batch, of a regularizer or another use of the table.
        have_gradient = (counts > 0) | keras.ops.any(gradient != 0, axis=-1)

        def of_those():
            (factor,) = update_in_rounds(
                lambda _, *rows: (clip_factor(*rows),),
                have_gradient,
                (keras.ops.ones_like(counts),),
                rows,
            )
            return factor

        # Up to about here it is less work than one pass over the table.
        are_few = keras.ops.sum(have_gradient) <= len(counts) // 64
        return lax.cond(are_few, of_those, of_all)

    return lax.platform_dependent(cpu=of_few, default=of_all)


def _sum(values, ids, num_rows):
    import tensorflow as tf

    return tf.math.unsorted_segment_sum(values, ids, num_rows)


def _sum_in_vectors(values, ids, num_rows):
    """`_sum` of longer rows, which is then cut to length.

    That is one pass over the table: more lookups than rows are worth it.
    """
    import tensorflow as tf

    dim = values.shape[1]
    short = columns_short(dim)
    if not short:
        return _sum(values, ids, num_rows)

    def padded():
        longer = tf.pad(values, ((0, 0), (0, short)))
        return _sum(longer, ids, num_rows)[:, :dim]

    # Decided as it compiles, when it knows how many lookups there are.
    return tf.cond(
        tf.size(ids) > num_rows, padded, lambda: _sum(values, ids, num_rows)
    )


def _sum_slices(slices) -> RowGradient:
    import tensorflow as tf

    # Not `unique_with_counts`, which XLA does not compile.
    ids, positions = tf.unique(slices.indices)
    sums, counts = in_one_pass(_sum_and_count, [])(slices.values, positions)
    rows = tf.size(ids)
    return RowGradient(ids, sums[:rows], counts[:rows])


def _sum_and_count(values, positions):
    import tensorflow as tf

    # How many positions there are is known as this compiles, unlike how many
    # of them differ.
    num_rows = tf.size(positions)
    ones = tf.ones_like(positions, dtype=tf.float32)
    return _sum(values, positions, num_rows), _sum(ones, positions, num_rows)
