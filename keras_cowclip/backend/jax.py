"""Speeds up a table's step on JAX, mostly where XLA compiles it for a CPU.

On JAX a gradient is as large as its table, and shapes are fixed before a step
runs. Active rows are therefore found within the step.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import keras
from jax import lax
from keras import ops

from keras_cowclip.backend import reference
from keras_cowclip.backend.jax_shards import assign_rows
from keras_cowclip.backend.jax_shards import fits_shards
from keras_cowclip.backend.jax_shards import row_layout
from keras_cowclip.backend.jax_shards import sharded_rows
from keras_cowclip.backend.jax_shards import take
from keras_cowclip.backend.reference import Clipped
from keras_cowclip.backend.reference import is_alone
from keras_cowclip.backend.xla import clip_by_active_factors
from keras_cowclip.backend.xla import flat_adam
from keras_cowclip.backend.xla import padding_for_vectors

__all__ = [
    "assign_rows",
    "clip_active_rows",
    "look_up",
    "row_norm",
    "run_if",
    "sharded_rows",
    "table_adam",
    "update_active_rows",
]

# From about here chunks are less work than one pass over the table.
FEWEST_CHUNKED_ROWS = 200_000
CHUNK_ROWS = 16384
# The k-th active row is found in two steps, the first over blocks of rows.
BLOCK_ROWS = 16
# Up to here XLA takes less time to sum a table's columns one after the other.
FEW_COLUMNS = 12

Tensor = Any


def look_up(
    table: keras.Variable, tag: Any, ids: Tensor, mask: Tensor | None = None
) -> Tensor:
    # JAX would count a negative id from the end again.
    is_row = ids >= 0 if mask is None else mask
    ids = jnp.where(is_row, ids, table.shape[0])
    layout = row_layout(table.path)
    if fits_shards(layout, ids):
        rows = take(
            ops.convert_to_tensor(table),
            ops.convert_to_tensor(tag.id_counts),
            ids,
            layout,
        )
        return rows if mask is None else jnp.where(mask[..., None], rows, 0)
    rows = _take(ops.convert_to_tensor(table), ids)
    if mask is not None:
        # Rows behind the table are NaN, without gradient and count.
        rows = jnp.where(mask[..., None], rows, 0)
    return reference.count_ids(rows, ops.convert_to_tensor(tag.id_counts), ids)


def row_norm(rows: Tensor) -> Tensor:
    """Returns the norm along the last axis, vectorized for few columns.

    On a CPU, XLA makes a loop over the columns of each row, too short to
    vectorize. Column by column it makes a loop over the rows: 3 instead of
    8 ms for a million rows of ten.
    """
    columns = rows.shape[-1]
    if (
        _is_traced(rows)
        # A dimension of an exported function may be symbolic.
        and isinstance(columns, int)
        and columns <= FEW_COLUMNS
    ):
        return lax.platform_dependent(
            rows, cpu=_norm_by_columns, default=reference.row_norm
        )
    return reference.row_norm(rows)


def clip_active_rows(
    gradient: Tensor,
    table: Tensor,
    counts: Tensor,
    factor_of: Callable[..., Tensor],
    l2: float,
    ids: Tensor | None = None,
) -> Clipped:
    """Clips every row; computes the factors of active rows if they are few."""
    if not _worth_chunking(gradient):
        return reference.clip_rows(gradient, table, counts, factor_of, l2)
    return clip_by_active_factors(
        _active_factors, gradient, table, counts, factor_of, l2
    )


def update_active_rows(
    update: Callable[..., tuple[Tensor, ...]],
    active: Tensor,
    arrays: tuple[Tensor, ...],
    *others: Tensor,
) -> tuple[Tensor, ...]:
    """Gives `update` the active rows alone, in chunks, on a CPU.

    A new row must not depend on other rows, because the last chunk is filled up
    with copies of the last row. Their results are dropped.
    """

    def update_all():
        return reference.update_active_rows(update, active, arrays, *others)

    if not _worth_chunking(active):
        return update_all()
    return lax.platform_dependent(
        cpu=lambda: _update_in_chunks(update, active, arrays, others),
        # On a GPU a chunk costs more than a pass over the whole table.
        default=update_all,
    )


def run_if(
    condition: Tensor,
    function: Callable[[], None],
    written: list[keras.Variable],
    read: list[keras.Variable],
) -> None:
    if not isinstance(condition, jax.core.Tracer):
        if condition:
            function()
        return
    others = [(variable, variable.value) for variable in read]

    def run(values):
        mapping = [*others, *zip(written, values, strict=True)]
        with keras.StatelessScope(state_mapping=mapping) as scope:
            function()
        return [scope.get_current_value(variable) for variable in written]

    values = [variable.value for variable in written]
    values = lax.cond(condition, run, lambda values: values, values)
    for variable, value in zip(written, values, strict=True):
        variable.assign(value)


def table_adam(
    optimizer: keras.optimizers.Adam,
    gradient: Tensor,
    variable: Any,
    rate: Tensor,
    l2: float = 0.0,
) -> None:
    # Flat, a table that is sharded by columns would have to be moved.
    if len(rate.shape) == 0 and _is_traced(gradient):
        flat_adam(
            optimizer, gradient, variable, rate, l2, lax.platform_dependent
        )
    else:
        reference.adam(optimizer, gradient, variable, rate, l2)


def _is_traced(tensor):
    """Whether JAX compiles the operations on `tensor`, and for one device."""
    return is_alone() and isinstance(tensor, jax.core.Tracer)


def _worth_chunking(tensor):
    return (
        _is_traced(tensor)
        and len(tensor) >= FEWEST_CHUNKED_ROWS
        # A chunk has rows of several devices.
        and not isinstance(
            keras.distribution.distribution(), keras.distribution.ModelParallel
        )
    )


def _take(table, ids):
    """Returns the rows `ids`; its gradient sums padded rows on a CPU.

    One pass over the table cuts the padding off. This pays off in a batch with
    more lookups than the table has rows.
    """
    num_ids, columns = table.shape
    if (
        _is_traced(table)
        and padding_for_vectors(columns)
        # The batch size of an exported model may be symbolic.
        and isinstance(ids.size, int)
        and ids.size > num_ids
    ):
        return _padded_take(table, ids, num_ids)
    return jnp.take(table, ids, axis=0)


@partial(jax.custom_vjp, nondiff_argnums=(2,))
def _padded_take(table, ids, num_ids):
    return jnp.take(table, ids, axis=0)


def _padded_take_forward(table, ids, num_ids):
    return _padded_take(table, ids, num_ids), ids


def _padded_take_backward(num_ids, ids, upstream):
    values = upstream.reshape(-1, upstream.shape[-1])
    return _sum_padded_rows(values, ids.reshape(-1), num_ids), None


_padded_take.defvjp(_padded_take_forward, _padded_take_backward)


# So that a backward pass outside of `jit` compiles it only once.
@partial(jax.jit, static_argnums=2)
def _sum_padded_rows(values, ids, num_ids):
    columns = values.shape[1]

    def sum_padded():
        padding = (0, 0), (0, padding_for_vectors(columns))
        padded = jnp.pad(values, padding)
        return jax.ops.segment_sum(padded, ids, num_ids)[:, :columns]

    return lax.platform_dependent(
        cpu=sum_padded,
        default=lambda: jax.ops.segment_sum(values, ids, num_ids),
    )


def _norm_by_columns(rows):
    columns = range(rows.shape[-1])
    return ops.sqrt(sum(ops.square(rows[..., column]) for column in columns))


def _active_factors(factor_of, *rows):
    """Returns `factor_of(*rows)` where a row is active, and 1 elsewhere."""

    def all_rows():
        return factor_of(*rows)

    def few_rows():
        gradient, _, counts = rows
        # A regularizer gives a gradient to rows that the batch has not.
        active = (counts > 0) | ops.any(gradient != 0, axis=-1)

        def active_rows():
            (factor,) = _update_in_chunks(
                lambda _, *rows: (factor_of(*rows),),
                active,
                (ops.ones_like(counts),),
                rows,
            )
            return factor

        # Up to about here it is less work than one pass over the table.
        are_few = ops.sum(active) <= len(counts) // 64
        return lax.cond(are_few, active_rows, all_rows)

    return lax.platform_dependent(cpu=few_rows, default=all_rows)


def _update_in_chunks(update, active, arrays, others):
    """Returns `arrays` after `update` of the active rows.

    JAX compiles for fixed shapes, and the number of active rows is known only
    when the step runs. A loop therefore takes a fixed number of them at a time.
    """
    blocks = jnp.pad(active, (0, -len(active) % BLOCK_ROWS))
    blocks = blocks.reshape(-1, BLOCK_ROWS)
    ends = jnp.cumsum(blocks.sum(axis=1, dtype="int32"))

    def update_chunk(chunk, arrays):
        rank = chunk * CHUNK_ROWS + jnp.arange(CHUNK_ROWS)
        ids = _rows_of_rank(blocks, ends, rank)
        rows = [array.at[ids].get(mode="clip") for array in (*arrays, *others)]
        return tuple(
            array.at[ids].set(new, mode="drop")
            for array, new in zip(arrays, update(*rows), strict=True)
        )

    chunks = -(-ends[-1] // CHUNK_ROWS)
    return lax.fori_loop(0, chunks, update_chunk, arrays)


def _rows_of_rank(blocks, ends, rank):
    """Returns the `rank`-th active rows; past the last, ids past the table.

    Args:
        blocks: `(blocks, rows of a block)` booleans.
        ends: `(blocks,)`, the number of active rows up to a block's end.
        rank: `(n,)` integers, counted from 0.
    """
    block = jnp.searchsorted(ends, rank, side="right")
    before = jnp.where(block > 0, ends[block - 1], 0)
    so_far = jnp.cumsum(blocks.at[block].get(mode="clip"), axis=1)
    in_block = jnp.sum(so_far <= (rank - before)[:, None], axis=1)
    return block * blocks.shape[1] + in_block
