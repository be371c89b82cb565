"""The rows that a batch has, out of arrays as large as the table."""

from collections.abc import Callable
from typing import Any

from keras import ops

from keras_cowclip.one_pass import is_compiled_by_jax

Tensor = Any


def update_present_rows(
    update: Callable[..., tuple[Tensor, ...]],
    present: Tensor,
    arrays: tuple[Tensor, ...],
    *others: Tensor,
) -> tuple[Tensor, ...]:
    """Returns `where(present, update(*arrays, *others), arrays)`.

    Where JAX compiles that for a CPU, `update` is given no other rows.

    Args:
        update: from some rows of `arrays` and `others` to the new rows of
            `arrays`, each row on its own.
        present: `(rows,)` booleans.
        arrays: tensors of that many rows.
        *others: tensors of that many rows.
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

    if not is_compiled_by_jax(present):
        return update_all()
    from jax import lax

    from keras_cowclip.jax_rounds import update_in_rounds

    return lax.platform_dependent(
        cpu=lambda: update_in_rounds(update, present, arrays, others),
        # On a card a round costs more than a pass over the table.
        default=update_all,
    )
