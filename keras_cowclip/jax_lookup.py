"""A table's lookup on JAX, whose gradient is the sum of longer rows.

XLA writes that in vectors, and it is then cut to length, one pass over the
table: a batch of more lookups than the table has rows is worth it.
"""

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from keras_cowclip.one_pass import is_compiled_by_jax
from keras_cowclip.vector_rows import columns_short

Tensor = Any


def look_up(table: Tensor, ids: Tensor) -> Tensor:
    """Returns the rows `ids` of `table`, as `(*ids.shape, embedding_dim)`.

    Args:
        table: `(num_ids, embedding_dim)`.
        ids: integer tensor of any shape, values in `[0, num_ids)`.
    """
    num_ids, columns = table.shape
    if (
        is_compiled_by_jax(table)
        and columns_short(columns)
        # An exported model may have a batch of any size, which is no number.
        and isinstance(ids.size, int)
        and ids.size > num_ids
    ):
        return _take(table, ids, num_ids)
    return jnp.take(table, ids, axis=0)


@partial(jax.custom_vjp, nondiff_argnums=(2,))
def _take(table, ids, num_ids):
    return jnp.take(table, ids, axis=0)


def _forward(table, ids, num_ids):
    return _take(table, ids, num_ids), ids


def _backward(num_ids, ids, upstream):
    values = upstream.reshape(-1, upstream.shape[-1])
    return _sums_of_rows(values, ids.reshape(-1), num_ids), None


_take.defvjp(_forward, _backward)


# Compiled once, where a step is not compiled itself.
@partial(jax.jit, static_argnums=2)
def _sums_of_rows(values, ids, num_ids):
    columns = values.shape[1]

    def padded():
        longer = jnp.pad(values, ((0, 0), (0, columns_short(columns))))
        return jax.ops.segment_sum(longer, ids, num_ids)[:, :columns]

    return lax.platform_dependent(
        cpu=padded, default=lambda: jax.ops.segment_sum(values, ids, num_ids)
    )
