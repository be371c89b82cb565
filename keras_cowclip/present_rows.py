"""The rows that a batch has, out of arrays as large as the table."""

from collections.abc import Callable
from typing import Any

from keras import ops

from keras_cowclip.one_pass import is_compiled_by_jax

# About where rounds of a loop are less work than one pass over the table.
FEWEST_ROWS = 200_000

Tensor = Any


def takes_rounds(tensor: Tensor) -> bool:
    """Whether the rows of a batch are taken alone out of one like `tensor`."""
    return is_compiled_by_jax(tensor) and len(tensor) >= FEWEST_ROWS


def update_present_rows(
    update: Callable[..., tuple[Tensor, ...]],
    present: Tensor,
    arrays: tuple[Tensor, ...],
    *others: Tensor,
    row_by_row: bool = True,
) -> tuple[Tensor, ...]:
    """Returns `where(present, update(*arrays, *others), arrays)`.

    Where JAX compiles that for a CPU and the table is large, `update` is given
    those rows alone, and copies of the last row, whose results are dropped.

    Args:
        update: from some rows of `arrays` and `others` to the new rows of
            `arrays`.
        present: `(rows,)` booleans.
        arrays: tensors of that many rows.
        *others: tensors of that many rows.
        row_by_row: whether a new row depends on no other row. If not, `update`
            is given all.
    """

    def update_all():
        return tuple(
            ops.where(
                ops.reshape(present, (-1,) + (1,) * (len(old.shape) - 1)),
                new,
                old,
            )
            for old, new in zip(arrays, update(*arrays, *others), strict=True)
        )

    if not (row_by_row and takes_rounds(present)):
        return update_all()
    from jax import lax

    from keras_cowclip.jax_rounds import update_in_rounds

    return lax.platform_dependent(
        cpu=lambda: update_in_rounds(update, present, arrays, others),
        # On a card a round costs more than a pass over the table.
        default=update_all,
    )
