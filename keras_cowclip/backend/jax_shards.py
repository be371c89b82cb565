"""Looks up rows of tables that are sharded over the devices of JAX.

A device has a range of a table's rows, and a part of the batch. For a lookup it
gathers the ids of the whole batch, looks up those of its own rows, and sends
each device the rows for that device's part of the batch. The gradient goes the
other way. No device ever holds a whole table, and the exchanged bytes depend on
the batch alone.
"""

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import keras
import numpy as np
from jax import lax
from jax.sharding import NamedSharding
from jax.sharding import PartitionSpec

Tensor = Any


def row_layout(path: str) -> NamedSharding | None:
    """Returns how `keras.distribution` shards a table's rows, or `None`.

    Args:
        path: string, the path of the table's variable.
    """
    distribution = keras.distribution.distribution()
    if not isinstance(distribution, keras.distribution.ModelParallel):
        return None
    layout = distribution.get_tensor_layout(path)
    if layout is None or layout.axes[0] is None:
        return None
    return layout.backend_layout


def sharded_rows(rows: int, path: str) -> int | None:
    layout = row_layout(path)
    if layout is None:
        return None
    shards = layout.mesh.shape[layout.spec[0]]
    return -(-rows // shards) * shards


def fits_shards(layout: NamedSharding | None, ids: Tensor) -> bool:
    """Whether a lookup's batch can be sharded over the devices of the rows."""
    distribution = keras.distribution.distribution()
    return (
        layout is not None
        and distribution is not None
        and layout.spec[0] == distribution.batch_dim_name
        # To infer shapes, Keras calls layers with batches of other sizes.
        and len(ids.shape) > 0
        and isinstance(ids.shape[0], int)
        and ids.shape[0] % layout.mesh.shape[layout.spec[0]] == 0
    )


@partial(jax.custom_vjp, nondiff_argnums=(3,))
def take(
    table: Tensor, id_counts: Tensor, ids: Tensor, layout: NamedSharding
) -> Tensor:
    """Returns the rows `ids`, and as the gradient of `id_counts` their counts.

    Rows of ids behind the table are NaN, and have no gradient and no count.

    Args:
        table: `(rows, embedding_dim)`.
        id_counts: `(rows,)`.
        ids: `(batch, ...)` integers.
        layout: `NamedSharding` of the table.
    """
    axis = layout.spec[0]

    def take_own(table, ids):
        own = _own(ids, axis, len(table))
        rows = table.at[own].get(mode="fill", fill_value=0)
        return lax.psum_scatter(rows, axis, tiled=True)

    rows = _on_shards(take_own, layout, 2, 1)(table, ids)
    is_row = (ids >= 0) & (ids < len(table))
    return jnp.where(is_row[..., None], rows, jnp.nan)


def _take_forward(table, id_counts, ids, layout):
    # The shape is all that is needed, and does not keep the table alive.
    return take(table, id_counts, ids, layout), (ids, len(table))


def _take_backward(layout, residuals, upstream):
    ids, num_rows = residuals
    axis = layout.spec[0]
    own_rows = num_rows // layout.mesh.shape[axis]

    def sum_own(upstream, ids):
        own = _own(ids, axis, own_rows).reshape(-1)
        rows = lax.all_gather(upstream, axis, tiled=True)
        rows = rows.reshape(-1, rows.shape[-1])
        ones = jnp.ones(len(own), "float32")
        return tuple(
            jax.ops.segment_sum(values, own, own_rows)
            for values in (rows, ones)
        )

    return *_on_shards(sum_own, layout, 2, 2)(upstream, ids), None


take.defvjp(_take_forward, _take_backward)


def _own(ids, axis, own_rows):
    """Returns the whole batch's ids as places in this device's rows.

    Ids of other devices get a place behind the rows, where they are dropped.
    """
    ids = lax.all_gather(ids, axis, tiled=True)
    places = ids - lax.axis_index(axis) * own_rows
    is_own = (places >= 0) & (places < own_rows)
    return jnp.where(is_own, places, own_rows)


def _on_shards(function, layout, num_inputs, num_outputs):
    first = PartitionSpec(layout.spec[0])
    outputs = first if num_outputs == 1 else (first,) * num_outputs
    return jax.shard_map(
        function,
        mesh=layout.mesh,
        in_specs=(first,) * num_inputs,
        out_specs=outputs,
    )


def assign_rows(variable: keras.Variable, rows: Any) -> None:
    """Sets the first rows of a table; each device reads its own.

    Args:
        variable: the table.
        rows: array, or data set of a file.
    """
    value = variable.value

    def read(index):
        own, *others = index
        start, stop, _ = own.indices(len(value))
        part = np.asarray(rows[start : min(stop, len(rows))])[(..., *others)]
        missing = stop - start - len(part)
        return np.pad(part, [(0, missing)] + [(0, 0)] * (part.ndim - 1))

    variable.assign(
        jax.make_array_from_callback(value.shape, value.sharding, read)
    )
