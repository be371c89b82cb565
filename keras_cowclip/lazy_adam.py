"""Defines Adam that updates only the active rows of a table.

A row stays as it is while its id does not occur. When the id occurs again, the
row first makes up, approximately, for the steps of dense Adam that it missed.
"""

from collections.abc import Callable
from typing import Any

from keras import ops

Tensor = Any


def step_lazily(
    optimizer: Any,
    factor_of: Callable[..., Tensor],
    table: Tensor,
    velocity: Tensor,
    last_step: Tensor,
    gradient: Tensor,
    counts: Tensor,
) -> tuple[Tensor, ...]:
    """Returns the clip factors, rows, second moments and steps after a step.

    With `k` steps since the last one that had the row,

    ```
    kept = beta_2**(k / 2)
    half = kept * v + (1 - kept) * (2 * embedding_l2 * w)**2
    w = w * exp(-k * rate * 2 * embedding_l2 / (sqrt(half) + epsilon))
    v = kept**2 * v + (1 - kept**2) * (2 * embedding_l2 * w)**2
    g = clipped gradient at w
    v = beta_2 * v + (1 - beta_2) * g**2
    w = w - rate * g / (sqrt(v) + epsilon)
    ```

    where `rate = embedding_learning_rate * sqrt(1 - beta_2**step)` of this step
    is used for the `k` steps too. In these the l2 is the whole gradient; `half`
    is `v` half way through them.

    In those steps dense Adam would have decayed `v` and moved the row by its
    l2. It would also have spread the effect of the row's last gradient over
    them, as `(1 - beta_1) * beta_1**j` in the j-th step after it. These sum to
    1: here a gradient has its whole effect at once, and there is no momentum.

    Args:
        optimizer: `CowClip`.
        factor_of: function from `(gradient, table, counts)` of some rows, the
            l2 included, to the clip factor of each of them.
        table: `(rows, embedding_dim)`, before the step.
        velocity: `(rows, embedding_dim)`, of the last step that had the row.
        last_step: `(rows,)`, the number of that step, 0 for none.
        gradient: `(rows, embedding_dim)`, without the l2.
        counts: `(rows,)`, how often the batch has each id.
    """
    dtype = table.dtype
    beta_2 = ops.cast(optimizer.beta_2, dtype)
    step = ops.cast(optimizer.iterations + 1, dtype)
    # Below 0 if the optimizer's steps were set back.
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
    gradient = gradient + decay * table
    factor = factor_of(gradient, table, counts)
    gradient = gradient * ops.expand_dims(factor, axis=-1)
    velocity = beta_2 * velocity + (1.0 - beta_2) * ops.square(gradient)
    return (
        factor,
        table - rate * gradient / (ops.sqrt(velocity) + optimizer.epsilon),
        velocity,
        ops.zeros_like(last_step) + ops.cast(step, last_step.dtype),
    )
