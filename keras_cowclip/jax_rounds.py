"""Updates some rows of a table on JAX, where a running step knows which.

JAX compiles for shapes that are known before, and how many rows a batch has is
not: they are taken some thousand at a time, in as many rounds as they need.
"""

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
from jax import lax

Tensor = Any

ROWS_A_ROUND = 16384
# The k-th row present is found in two steps, the first over blocks of rows.
ROWS_A_BLOCK = 16


def update_in_rounds(
    update: Callable[..., tuple[Tensor, ...]],
    present: Tensor,
    arrays: tuple[Tensor, ...],
    others: tuple[Tensor, ...],
) -> tuple[Tensor, ...]:
    """Returns `arrays` after `update` of the rows that are present.

    Args:
        update: from some rows of `arrays` and `others` to the new rows of
            `arrays`.
        present: `(rows,)` booleans.
        arrays: tensors of that many rows.
        others: tensors of that many rows.
    """
    blocks = jnp.pad(present, (0, -len(present) % ROWS_A_BLOCK))
    blocks = blocks.reshape(-1, ROWS_A_BLOCK)
    ends = jnp.cumsum(blocks.sum(axis=1, dtype="int32"))

    def update_some(round_index, arrays):
        rank = round_index * ROWS_A_ROUND + jnp.arange(ROWS_A_ROUND)
        ids = _rows_of_rank(blocks, ends, rank)
        rows = [array.at[ids].get(mode="clip") for array in (*arrays, *others)]
        return tuple(
            array.at[ids].set(new, mode="drop")
            for array, new in zip(arrays, update(*rows), strict=True)
        )

    rounds = -(-ends[-1] // ROWS_A_ROUND)
    return lax.fori_loop(0, rounds, update_some, arrays)


def _rows_of_rank(blocks, ends, rank):
    """The `rank`-th rows present; beyond the last, ids past the table's end.

    Args:
        blocks: `(blocks, rows of a block)` booleans.
        ends: `(blocks,)`, how many rows are present up to a block's end.
        rank: `(n,)` integers, counted from 0.
    """
    block = jnp.searchsorted(ends, rank, side="right")
    before = jnp.where(block > 0, ends[block - 1], 0)
    so_far = jnp.cumsum(blocks.at[block].get(mode="clip"), axis=1)
    in_block = jnp.sum(so_far <= (rank - before)[:, None], axis=1)
    return block * blocks.shape[1] + in_block
