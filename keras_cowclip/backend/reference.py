"""Defines every operation of `keras_cowclip.backend` in plain `keras.ops`.

This file is the specification. A backend's own operation returns the same
numbers as the operation of that name here, in less time.
"""

import contextlib
from collections.abc import Callable
from typing import Any
from typing import NamedTuple

import keras
from keras import ops

__all__ = [
    "Clipped",
    "RowGradient",
    "active_ids",
    "adam",
    "add_gradient",
    "assign_rows",
    "check_replicas",
    "clear_sums",
    "clip_active_rows",
    "clip_rows",
    "compiled",
    "count_ids",
    "dense_gradient",
    "is_alone",
    "look_up",
    "move_average",
    "read_rows",
    "row_gradient",
    "row_norm",
    "run_if",
    "sharded_rows",
    "state_scope",
    "sum_over_replicas",
    "summed_rows",
    "table_adam",
    "update_active_rows",
    "write_rows",
]

Tensor = Any


class RowGradient(NamedTuple):
    """The gradient of the rows of a table that a batch looked up.

    Attributes:
        ids: `(rows,)` integers, each once.
        values: `(rows, embedding_dim)`, summed over the lookups of each row.
        counts: `(rows,)` float32, how often the batch has each id.
    """

    ids: Tensor
    values: Tensor
    counts: Tensor


class Clipped(NamedTuple):
    """A clipped gradient, to which `2 * l2 * table` is still to be added.

    Attributes:
        gradient: `(input_dim, embedding_dim)`.
        factor: `(rows,)` in `[0, 1]`, the clip factors of some or all rows.
        counts: `(rows,)` float32, how often the batch has those rows.
        l2: float, the l2 that is left for `table_adam`.
    """

    gradient: Tensor
    factor: Tensor
    counts: Tensor
    l2: float


def look_up(
    table: keras.Variable, tag: Any, ids: Tensor, mask: Tensor | None = None
) -> Tensor:
    """Returns the rows `ids`, as `(*ids.shape, embedding_dim)`.

    The gradient of `tag.id_counts` is the number of times each id occurs.

    Args:
        table: `(input_dim, embedding_dim)` variable.
        tag: the table's `TableTag`.
        ids: integer tensor of any shape, values in `[0, input_dim)`.
        mask: boolean tensor of that shape, `False` for padding: its row is
            zero, it has no gradient, and it is not counted, whatever its id.
            Defaults to `None`, no padding.
    """
    id_counts = ops.convert_to_tensor(tag.id_counts)
    if mask is None:
        return count_ids(ops.take(table, ids, axis=0), id_counts, ids)
    ids = ops.where(mask, ids, 0)
    rows = ops.take(table, ids, axis=0)
    rows = ops.where(ops.expand_dims(mask, axis=-1), rows, 0)
    return count_present_ids(rows, id_counts, ids, ops.cast(mask, "float32"))


@ops.custom_gradient
def count_ids(embeddings: Tensor, id_counts: Tensor, ids: Tensor) -> Tensor:
    """Returns `embeddings`; the gradient of `id_counts` counts the `ids`.

    Args:
        embeddings: tensor of any shape.
        id_counts: `(input_dim,)` float32.
        ids: integer tensor of any shape, values in `[0, input_dim)`. It is an
            argument because `jax.checkpoint`, `cond` and `scan` reject tracers
            that a custom gradient closes over.
    """
    (num_ids,) = id_counts.shape

    # Each backend passes `upstream` in its own way.
    def gradient(*args, upstream=None):
        upstream = args[-1] if upstream is None else upstream
        return upstream, occurrences(ids, num_ids), None

    return embeddings, gradient


@ops.custom_gradient
def count_present_ids(
    embeddings: Tensor, id_counts: Tensor, ids: Tensor, present: Tensor
) -> Tensor:
    """Counts as `count_ids` does, but for the ids whose `present` is 0."""
    (num_ids,) = id_counts.shape

    def gradient(*args, upstream=None):
        upstream = args[-1] if upstream is None else upstream
        counts = ops.segment_sum(
            ops.reshape(present, (-1,)),
            ops.reshape(ids, (-1,)),
            num_segments=num_ids,
        )
        return upstream, counts, None, None

    return embeddings, gradient


def occurrences(ids: Tensor, num_ids: int) -> Tensor:
    """Returns `(num_ids,)` float32, how often each id is among `ids`."""
    ids = ops.reshape(ids, (-1,))
    ones = ops.ones_like(ids, dtype="float32")
    return ops.segment_sum(ones, ids, num_segments=num_ids)


def dense_gradient(
    gradient: Tensor, shape: tuple[int, ...], may_pad: bool = False
) -> Tensor:
    """Returns a gradient as large as its variable, summed over lookups.

    Args:
        gradient: of a variable, dense or in the backend's sparse format.
        shape: the variable's shape. TensorFlow's sparse gradient holds it as
            a tensor, and XLA needs numbers.
        may_pad: boolean. Whether TensorFlow may sum padded rows. This is
            faster where XLA compiles the sum, and slower elsewhere. Defaults
            to `False`.
    """
    return gradient


def sharded_rows(rows: int, path: str) -> int | None:
    """Returns how many rows a table needs for its devices to share them.

    Args:
        rows: integer, the rows that are looked up.
        path: string, the path of the table's variable.

    Returns:
        `None` for a table that each device has whole.
    """
    return None


def assign_rows(variable: keras.Variable, rows: Any) -> None:
    """Sets the first rows of a variable to what was saved."""
    variable.assign(rows)


def active_ids(gradient: Tensor) -> Tensor | None:
    """Returns `(lookups,)` ids of a sparse gradient's rows, or `None`.

    `None` stands for any row. An id is listed once for each of its lookups.

    Args:
        gradient: of a table, dense or in the backend's sparse format.
    """
    return None


def row_gradient(
    gradient: Tensor, counts: Tensor, padded: bool = False
) -> RowGradient | None:
    """Returns a sparse gradient, each id once, or `None` for a dense one.

    Args:
        gradient: of the table, dense or in the backend's sparse format.
        counts: gradient of the table's `id_counts`, in the same format.
        padded: boolean, the `padded` of the table's tag. If `True`, rows of
            the result may have a count of 0, and must not be updated. Defaults
            to `False`.
    """
    return None


def add_gradient(
    gradient_sum: keras.Variable,
    counts_sum: keras.Variable,
    gradient: Tensor,
    counts: Tensor | None,
    is_first: Tensor,
    padded: bool = False,
) -> None:
    """Adds a batch to the sums of a table.

    XLA makes of it one scatter of the batch's rows into the sums, as long as
    nothing is done to the gradient before it is added.

    Args:
        gradient_sum: `(input_dim, embedding_dim)` variable.
        counts_sum: `(input_dim,)` variable.
        gradient: of the table, dense or in the backend's sparse format.
        counts: gradient of the table's `id_counts`, or `None` for zeros.
        is_first: scalar boolean, whether the sums begin anew. Ignored where
            `clear_sums` has cleared them.
        padded: boolean, the `padded` of the table's tag. Defaults to `False`.
    """
    before = ops.where(is_first, 0.0, gradient_sum.value)
    gradient_sum.assign(before + ops.cast(gradient, gradient_sum.dtype))
    before = ops.where(is_first, 0.0, counts_sum.value)
    counts_sum.assign(before if counts is None else before + counts)


def clear_sums(*sums: keras.Variable) -> None:
    """Clears the sums of a table, unless `add_gradient` begins them anew."""


def summed_rows(
    gradient_sum: keras.Variable, counts_sum: keras.Variable
) -> RowGradient | None:
    """Returns the rows that were added since the sums were zero.

    `None` stands for all rows, where shapes can't depend on values.
    """
    return None


def run_if(
    condition: Tensor,
    function: Callable[[], None],
    written: list[keras.Variable],
    read: list[keras.Variable],
) -> None:
    """Calls `function` if `condition` holds when the step runs.

    Args:
        condition: scalar boolean.
        function: function without arguments that assigns to variables.
        written: the variables that it may assign to.
        read: other variables that it may read; `written` may be among them.
    """
    ops.cond(condition, function, lambda: None)


def move_average(
    average: keras.Variable, variable: keras.Variable, kept: Tensor
) -> None:
    """Assigns `kept * average + (1 - kept) * variable` to an average.

    Args:
        average: variable.
        variable: variable of the same shape and dtype.
        kept: scalar in `[0, 1]`.
    """
    kept = ops.cast(kept, variable.dtype)
    average.assign(kept * average + (1.0 - kept) * variable)


def read_rows(variable: keras.Variable, ids: Tensor) -> Tensor:
    """Returns the rows `ids` of a variable."""
    return ops.take(variable, ids, axis=0)


def write_rows(variable: keras.Variable, ids: Tensor, rows: Tensor) -> None:
    """Overwrites the rows `ids` of a variable, each of which occurs once."""
    variable.assign(
        ops.scatter_update(variable, ops.expand_dims(ids, axis=-1), rows)
    )


def row_norm(rows: Tensor) -> Tensor:
    """Returns the Euclidean norm along the last axis."""
    return ops.norm(rows, axis=-1)


def clip_rows(
    gradient: Tensor,
    table: Tensor,
    counts: Tensor,
    factor_of: Callable[..., Tensor],
    l2: float,
) -> Clipped:
    """Adds the l2 to a table's gradient and clips every row.

    Args:
        gradient: `(input_dim, embedding_dim)`, at least float32, without l2.
            PyTorch may overwrite it.
        table: `(input_dim, embedding_dim)`, at least float32.
        counts: `(input_dim,)` float32, how often the batch has each id.
        factor_of: function from `(gradient, table, counts)` of some rows, the
            l2 included, to the clip factor of each of them.
        l2: float, not negative.
    """
    total = gradient + 2.0 * l2 * table
    factor = factor_of(total, table, counts)
    return Clipped(
        total * ops.expand_dims(factor, axis=-1), factor, counts, 0.0
    )


def clip_active_rows(
    gradient: Tensor,
    table: Tensor,
    counts: Tensor,
    factor_of: Callable[..., Tensor],
    l2: float,
    ids: Tensor | None = None,
) -> Clipped:
    """Does what `clip_rows` does, for rules that never clip inactive rows.

    A row is active if its id is in the batch or its gradient is not zero.

    Args:
        gradient, table, counts, l2: see `clip_rows`.
        factor_of: see `clip_rows`. The factor of a row may depend on no other
            row, and must be 1 where the l2 is the whole gradient.
        ids: the gradient's `active_ids`. Defaults to `None`, any row.
    """
    return clip_rows(gradient, table, counts, factor_of, l2)


def update_active_rows(
    update: Callable[..., tuple[Tensor, ...]],
    active: Tensor,
    arrays: tuple[Tensor, ...],
    *others: Tensor,
) -> tuple[Tensor, ...]:
    """Returns `where(active, update(*arrays, *others), arrays)`.

    Args:
        update: function from some rows of `arrays` and `others` to the new
            rows of `arrays`.
        active: `(rows,)` booleans.
        arrays: tensors of that many rows.
        *others: tensors of that many rows.
    """
    return tuple(
        ops.where(
            ops.reshape(active, (-1,) + (1,) * (len(old.shape) - 1)), new, old
        )
        for old, new in zip(arrays, update(*arrays, *others), strict=True)
    )


def adam(
    optimizer: keras.optimizers.Adam,
    gradient: Tensor,
    variable: Any,
    rate: Tensor,
    l2: float = 0.0,
) -> None:
    """Updates a weight and its moments by `Adam.update_step`.

    Args:
        optimizer: the optimizer, for its settings and moments.
        gradient: of the weight. `2 * l2 * variable` is added to it.
        variable: the weight, as `update_step` gets it: on TensorFlow a bare
            `tf.Variable`.
        rate: learning rate, a scalar or a tensor that broadcasts.
        l2: float, not negative. Defaults to `0.0`.
    """
    if l2:
        table = ops.cast(ops.convert_to_tensor(variable), gradient.dtype)
        gradient = gradient + 2.0 * l2 * table
    keras.optimizers.Adam.update_step(optimizer, gradient, variable, rate)


def table_adam(
    optimizer: keras.optimizers.Adam,
    gradient: Tensor,
    variable: Any,
    rate: Tensor,
    l2: float = 0.0,
) -> None:
    """Does what `adam` does, in the way that suits a large table."""
    adam(optimizer, gradient, variable, rate, l2)


def compiled(update: Callable, variables: list) -> Callable:
    """Returns `update`, compiled where the backend compiles parts of a step.

    Args:
        update: function of tensors, which may assign to variables.
        variables: one of the variables of each device that `update` uses.
    """
    return update


def state_scope() -> contextlib.AbstractContextManager:
    """Returns the scope in which to create an optimizer's variables."""
    return contextlib.nullcontext()


def is_alone() -> bool:
    """Whether one device of this process has the whole batch."""
    return keras.distribution.distribution() is None


def sum_over_replicas(counts: Tensor) -> Tensor:
    """Sums the counts of all devices that share a batch.

    Under `keras.distribution` an array is global, and so are its counts.
    """
    return counts


def check_replicas(optimizer: Any) -> None:
    """Raises for settings that each replica would apply by itself."""
