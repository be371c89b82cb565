"""Speeds up a table's step on TensorFlow, by XLA and `tf.IndexedSlices`.

Compiled by XLA, a table's update is one fused loop instead of twenty
operations. It begins with the sum of each row's gradients: XLA sums rows in a
third of the time of TensorFlow's `unsorted_segment_sum`, and counts in a
seventh. Each size of a batch, such as that of the last one of an epoch, is
compiled once, in .2 s.
"""

import contextlib
import platform
from collections.abc import Callable
from functools import partial
from typing import Any

import keras
import tensorflow as tf
from keras import ops

from keras_cowclip.backend import reference
from keras_cowclip.backend.reference import Clipped
from keras_cowclip.backend.reference import RowGradient
from keras_cowclip.backend.reference import occurrences
from keras_cowclip.backend.xla import clip_by_active_factors
from keras_cowclip.backend.xla import flat_adam
from keras_cowclip.backend.xla import padding_for_vectors

__all__ = [
    "active_ids",
    "add_gradient",
    "check_replicas",
    "clear_sums",
    "clip_active_rows",
    "compiled",
    "count_ids",
    "dense_gradient",
    "is_alone",
    "look_up",
    "move_average",
    "read_rows",
    "row_gradient",
    "state_scope",
    "sum_over_replicas",
    "summed_rows",
    "table_adam",
    "write_rows",
]

Tensor = Any


def look_up(
    table: keras.Variable, tag: Any, ids: Tensor, mask: Tensor | None = None
) -> Tensor:
    id_counts = ops.convert_to_tensor(tag.id_counts)
    if mask is None:
        return count_ids(read_rows(table, ids), id_counts, ids)
    # The sparse gradient will list row 0 for padding.
    tag.padded = True
    ids = tf.where(mask, ids, 0)
    rows = tf.where(mask[..., tf.newaxis], read_rows(table, ids), 0)
    present = tf.cast(mask, id_counts.dtype)
    return reference.count_present_ids(rows, id_counts, ids, present)


@ops.custom_gradient
def count_ids(embeddings: Tensor, id_counts: Tensor, ids: Tensor) -> Tensor:
    count = partial(occurrences, num_ids=id_counts.shape[0])

    def gradient(upstream):
        return upstream, compiled(count, [])(ids), None

    return embeddings, gradient


def dense_gradient(
    gradient: Tensor, shape: tuple[int, ...], may_pad: bool = False
) -> Tensor:
    """Sums `tf.IndexedSlices` into a dense gradient.

    Keras' `convert_to_tensor` would keep a row that was looked up twice in
    two parts.
    """
    if not isinstance(gradient, tf.IndexedSlices):
        return gradient
    sum_rows = _padded_sum if may_pad else tf.math.unsorted_segment_sum
    return sum_rows(gradient.values, gradient.indices, shape[0])


def active_ids(gradient: Tensor) -> Tensor | None:
    if isinstance(gradient, tf.IndexedSlices):
        return gradient.indices
    return None


def row_gradient(
    gradient: Tensor, counts: Tensor, padded: bool = False
) -> RowGradient | None:
    if not isinstance(gradient, tf.IndexedSlices):
        return None
    # XLA does not compile `unique_with_counts`.
    ids, positions = tf.unique(gradient.indices)
    sums, lookups = compiled(_sum_and_count, [])(gradient.values, positions)
    rows = tf.size(ids)
    # Lookups include padding, `counts` do not.
    counts = tf.gather(counts, ids) if padded else lookups[:rows]
    return RowGradient(ids, sums[:rows], counts)


def add_gradient(
    gradient_sum: keras.Variable,
    counts_sum: keras.Variable,
    gradient: Tensor,
    counts: Tensor | None,
    is_first: Tensor,
    padded: bool = False,
) -> None:
    if (
        not isinstance(gradient, tf.IndexedSlices)
        or tf.distribute.has_strategy()
    ):
        gradient = dense_gradient(gradient, gradient_sum.shape)
        reference.add_gradient(
            gradient_sum, counts_sum, gradient, counts, is_first
        )
        return

    def add(values, ids):
        parts = [(gradient_sum, values)]
        if not padded:
            # TensorFlow then prunes the count of ids in the backward pass.
            parts.append((counts_sum, tf.ones_like(ids, counts_sum.dtype)))
        for variable, rows in parts:
            rows = tf.cast(rows, variable.dtype)
            variable.value.scatter_add(tf.IndexedSlices(rows, ids))

    add = compiled(add, [gradient_sum, counts_sum])
    add(gradient.values, gradient.indices)
    if padded:
        counts_sum.assign_add(counts)


def clear_sums(*sums: keras.Variable) -> None:
    for variable in sums:
        variable.assign(tf.zeros(variable.shape, variable.dtype))


def summed_rows(
    gradient_sum: keras.Variable, counts_sum: keras.Variable
) -> RowGradient | None:
    if tf.distribute.has_strategy():
        return None
    ids = tf.where(counts_sum.value > 0)[:, 0]
    return RowGradient(
        ids, read_rows(gradient_sum, ids), read_rows(counts_sum, ids)
    )


def move_average(
    average: keras.Variable, variable: keras.Variable, kept: Tensor
) -> None:
    def move(kept):
        reference.move_average(average, variable, kept)

    compiled(move, [average, variable])(kept)


def read_rows(variable: keras.Variable, ids: Tensor) -> Tensor:
    # Keras would read the whole variable first, and after rows were written
    # into a variable TensorFlow copies it when it is read.
    return tf.gather(variable.value, ids)


def write_rows(variable: keras.Variable, ids: Tensor, rows: Tensor) -> None:
    variable.value.scatter_update(tf.IndexedSlices(rows, ids))


def clip_active_rows(
    gradient: Tensor,
    table: Tensor,
    counts: Tensor,
    factor_of: Callable[..., Tensor],
    l2: float,
    ids: Tensor | None = None,
) -> Clipped:
    """Clips every row; computes the factors of `ids` if they are few."""
    if ids is None:
        return reference.clip_rows(gradient, table, counts, factor_of, l2)
    return clip_by_active_factors(
        partial(_active_factors, ids), gradient, table, counts, factor_of, l2
    )


def table_adam(
    optimizer: keras.optimizers.Adam,
    gradient: Tensor,
    variable: Any,
    rate: Tensor,
    l2: float = 0.0,
) -> None:
    """Updates a table by Adam, flat if XLA can compile it for a CPU.

    TensorFlow's own kernel takes `1 - beta_2` of a float32, off by 1e-5, so
    that its results differ from the other backends'.
    """
    is_flat = (
        len(rate.shape) == 0
        and _can_compile([variable])
        and "CPU" in _device(variable)
    )
    if is_flat:
        flat_adam(optimizer, gradient, variable, rate, l2, _choose_cpu)
    else:
        reference.adam(optimizer, gradient, variable, rate, l2)


def compiled(update: Callable, variables: list) -> Callable:
    """Returns `update`, compiled by XLA within the graph of a step."""
    if not _can_compile(variables):
        return update
    return tf.function(update, jit_compile=True, autograph=False)


def state_scope() -> contextlib.AbstractContextManager:
    """Returns a scope outside of the graph that is being traced.

    Variables made within the graph of the first step share one array of zeros.
    XLA then allocates new arrays for all of them in that step, which raises the
    peak of memory.
    """
    return tf.init_scope() if is_alone() else contextlib.nullcontext()


def is_alone() -> bool:
    return tf.distribute.get_strategy().num_replicas_in_sync == 1


def sum_over_replicas(counts: Tensor) -> Tensor:
    replica = tf.distribute.get_replica_context()
    if replica is not None and replica.num_replicas_in_sync > 1:
        return replica.all_reduce(tf.distribute.ReduceOp.SUM, counts)
    return counts


def check_replicas(optimizer: Any) -> None:
    """Raises for settings that each replica would apply by itself."""
    replicas = tf.distribute.get_strategy().num_replicas_in_sync
    if replicas == 1:
        return
    reasons = {
        **dict.fromkeys(
            ("gradient_accumulation_steps", "ema_overwrite_frequency"),
            "Keras updates in a branch, and TensorFlow does not synchronize "
            "replicas there",
        ),
        "embedding_accumulation_steps": (
            "the tables are updated in a branch, and TensorFlow does not "
            "synchronize replicas there"
        ),
        **dict.fromkeys(
            ("clipnorm", "global_clipnorm", "clipvalue"),
            "Keras clips the gradient of each replica before it sums them",
        ),
    }
    for name, reason in reasons.items():
        value = getattr(optimizer, name)
        # 1 accumulates nothing.
        if value and (name, value) != ("embedding_accumulation_steps", 1):
            raise NotImplementedError(
                f"`{name}` does not work under a `tf.distribute` strategy of "
                f"several replicas: {reason}. "
                f"Received: {name}={value}, {replicas} replicas"
            )


def _can_compile(variables):
    """Whether XLA can compile a part of the step that uses `variables`."""
    return not (
        # Each call would be compiled anew.
        tf.executing_eagerly()
        or tf.distribute.has_strategy()
        or len({_device(variable) for variable in variables}) > 1
        # XLA does not compile for the GPU of a Mac.
        or (
            platform.system() == "Darwin"
            and tf.config.list_physical_devices("GPU")
        )
    )


def _device(variable):
    is_keras = isinstance(variable, keras.Variable)
    return (variable.value if is_keras else variable).device


def _choose_cpu(*arrays, cpu, default):
    return cpu(*arrays)


def _active_factors(ids, factor_of, *rows):
    """Returns `factor_of(*rows)` of the rows `ids`, and 1 elsewhere."""
    num_rows = rows[0].shape[0]

    def active_rows():
        factor = factor_of(*(tf.gather(array, ids) for array in rows))
        ones = tf.ones((num_rows,), factor.dtype)
        return tf.tensor_scatter_nd_update(ones, ids[:, None], factor)

    # `tf.size(ids)` is static when XLA compiles but unknown as Keras traces.
    return tf.cond(
        tf.size(ids) < num_rows, active_rows, lambda: factor_of(*rows)
    )


def _padded_sum(values, ids, num_rows):
    """Sums padded rows, which XLA vectorizes, and cuts the padding off.

    One pass over the table cuts it off. This pays off in a batch with more
    lookups than the table has rows.
    """
    dim = values.shape[1]
    padding = padding_for_vectors(dim)
    if not padding:
        return tf.math.unsorted_segment_sum(values, ids, num_rows)

    def sum_padded():
        padded = tf.pad(values, ((0, 0), (0, padding)))
        return tf.math.unsorted_segment_sum(padded, ids, num_rows)[:, :dim]

    # `tf.size(ids)` is static when XLA compiles but unknown as Keras traces.
    return tf.cond(
        tf.size(ids) > num_rows,
        sum_padded,
        lambda: tf.math.unsorted_segment_sum(values, ids, num_rows),
    )


def _sum_and_count(values, positions):
    # XLA knows the number of positions when it compiles, but not that of ids.
    num_rows = tf.size(positions)
    ones = tf.ones_like(positions, dtype=tf.float32)
    return (
        tf.math.unsorted_segment_sum(values, positions, num_rows),
        tf.math.unsorted_segment_sum(ones, positions, num_rows),
    )
