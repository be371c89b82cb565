"""Adam that moves only the rows of a table that the batch has.

A row rests while its id does not occur. When it does, the row is first brought
to about where Adam of all rows would have it by then.
"""

from collections.abc import Callable
from typing import Any

from keras import ops

from keras_cowclip.clipping import at_least_float32
from keras_cowclip.present_rows import update_present_rows
from keras_cowclip.row_updates import RowGradient
from keras_cowclip.row_updates import read_rows
from keras_cowclip.row_updates import write_rows

Tensor = Any


def lazy_adam(
    optimizer: Any,
    clip_factor: Callable[..., Tensor],
    table: Tensor,
    velocity: Tensor,
    last_step: Tensor,
    gradient: Tensor,
    counts: Tensor,
) -> tuple[Tensor, ...]:
    """Returns each row's clip, and the rows, moments and steps after a step.

    With `k` steps since the last one that had the row, dense Adam would have
    made `v` smaller `k` times, and moved the row by its l2 alone. And it would
    have spread the effect of the row's last gradient over those steps, as
    `(1 - beta_1) * beta_1**j` in the j-th after it, which is 1 in all: here a
    gradient has its whole effect at once, so that there is no momentum.

    ```
    kept = beta_2**(k / 2)
    half = kept * v + (1 - kept) * (2 * embedding_l2 * w)**2
    w = w * exp(-k * rate * 2 * embedding_l2 / (sqrt(half) + epsilon))
    v = kept**2 * v + (1 - kept**2) * (2 * embedding_l2 * w)**2
    g = clipped gradient at w
    v = beta_2 * v + (1 - beta_2) * g**2
    w = w - rate * g / (sqrt(v) + epsilon)
    ```

    with `rate = embedding_learning_rate * sqrt(1 - beta_2**step)` of this step
    for the `k` steps too. `half` is `v` half way through them, when the l2 is
    the whole gradient.

    Args:
        optimizer: `CowClip`.
        clip_factor: from `(gradient, table, counts)` to the factor of each
            row's clip.
        table: `(rows, embedding_dim)`, before the step.
        velocity: `(rows, embedding_dim)`, of the last step that had the row.
        last_step: `(rows,)`, the number of that step, 0 for none.
        gradient: `(rows, embedding_dim)`, without the l2.
        counts: `(rows,)`, how often the batch has each id.
    """
    dtype = table.dtype
    beta_2 = ops.cast(optimizer.beta_2, dtype)
    step = ops.cast(optimizer.iterations + 1, dtype)
    # Below 0 where the optimizer's steps were set back.
    missed = ops.maximum(step - 1.0 - ops.cast(last_step, dtype), 0.0)
    missed = ops.expand_dims(missed, axis=-1)
    rate = ops.cast(optimizer.embedding_learning_rate, dtype) * ops.sqrt(
        1.0 - ops.power(beta_2, step)
    )
    decay = 2.0 * optimizer.embedding_l2
    kept = ops.power(beta_2, 0.5 * missed)
    half = kept * velocity + (1.0 - kept) * ops.square(decay * table)
    table = table * ops.exp(
        -(missed * rate * decay) / (ops.sqrt(half) + optimizer.epsilon)
    )
    kept = ops.square(kept)
    velocity = kept * velocity + (1.0 - kept) * ops.square(decay * table)
    factor = clip_factor(gradient, table, counts)
    gradient = (gradient + decay * table) * ops.expand_dims(factor, axis=-1)
    velocity = beta_2 * velocity + (1.0 - beta_2) * ops.square(gradient)
    return (
        factor,
        table - rate * gradient / (ops.sqrt(velocity) + optimizer.epsilon),
        velocity,
        ops.zeros_like(last_step) + ops.cast(step, last_step.dtype),
    )


def update_rows(
    optimizer: Any,
    index: int,
    rows: RowGradient,
    clip_factor: Callable[..., Tensor],
) -> Tensor:
    """Updates the rows of a `RowGradient`, and reads and writes no others.

    Args:
        optimizer: `CowClip`.
        index: integer, of the table among the optimizer's variables.
        rows: `RowGradient`, whose ids say which rows.
        clip_factor: see `lazy_adam`.

    Returns:
        `(rows,)`, the factor of the clip of each of those rows.
    """
    variables = _variables(optimizer, index)
    table, velocity, last_step = (
        read_rows(variable, rows.ids) for variable in variables
    )
    factor, *moved = lazy_adam(
        optimizer,
        clip_factor,
        table,
        velocity,
        last_step,
        rows.values,
        rows.counts,
    )
    for variable, values in zip(variables, moved, strict=True):
        write_rows(variable, rows.ids, values)
    return factor


def update_table(
    optimizer: Any,
    index: int,
    gradient: Tensor,
    counts: Tensor,
    clip_factor: Callable[..., Tensor],
    row_by_row: bool,
) -> Tensor:
    """The same by a gradient as large as the table, so with static shapes.

    Args:
        optimizer: `CowClip`.
        index: integer, of the table among the optimizer's variables.
        gradient: `(input_dim, embedding_dim)`.
        counts: `(input_dim,)`, how often the batch has each id.
        clip_factor: see `lazy_adam`.
        row_by_row: whether the clip of a row depends on no other row.

    Returns:
        `(input_dim,)`, the factor of each row's clip, 1 where it is absent.
    """
    variables = _variables(optimizer, index)
    factor, *moved = update_present_rows(
        lambda _, *rows: lazy_adam(optimizer, clip_factor, *rows),
        counts > 0,
        (ops.ones_like(counts), *map(at_least_float32, variables)),
        gradient,
        counts,
        row_by_row=row_by_row,
    )
    for variable, after in zip(variables, moved, strict=True):
        optimizer.assign(variable, ops.cast(after, variable.dtype))
    return factor


def _variables(optimizer: Any, index: int) -> list:
    """The table, its second moment and the steps that moved its rows last."""
    return [
        optimizer._trainable_variables[index],
        optimizer._velocities[index],
        optimizer._momentums[index],  # Lazy rows have none, see `CowClip`.
    ]
