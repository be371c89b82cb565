"""Shapes a table's arrays so that XLA vectorizes their loops on a CPU.

JAX and TensorFlow share this file. `benchmarks/speed/table_update.py` has the
measurements.
"""

from collections.abc import Callable
from typing import Any

from keras import ops

from keras_cowclip.backend.reference import Clipped

Tensor = Any


def padding_for_vectors(columns: int) -> int:
    """Returns the columns to add to a row before a scatter-add.

    XLA vectorizes the addition to rows whose length is a multiple of four,
    and adds most others of six columns and more number by number. Padding
    about halves the time.
    """
    return -columns % 4 if columns >= 6 else 0


def clip_by_active_factors(
    active_factors: Callable[..., Tensor],
    gradient: Tensor,
    table: Tensor,
    counts: Tensor,
    factor_of: Callable[..., Tensor],
    l2: float,
) -> Clipped:
    """Adds the l2 and clips every row, by factors of the active rows.

    Args, beside those of `reference.clip_rows`:
        active_factors: function from a rule and `(gradient, table, counts)` to
            the factor of each row. The gradient has no l2, which would make
            every row look active; the rule adds it.
    """

    def factor(gradient, table, counts):
        return factor_of(gradient + 2.0 * l2 * table, table, counts)

    total = gradient + 2.0 * l2 * table
    factors = active_factors(factor, gradient, table, counts)
    return Clipped(
        total * ops.expand_dims(factors, axis=-1), factors, counts, 0.0
    )


def flat_adam(
    optimizer: Any,
    gradient: Tensor,
    variable: Any,
    rate: Tensor,
    l2: float,
    choose: Callable[..., Tensor],
) -> None:
    """Updates a table and its moments, with a flat last line of Adam.

    XLA makes a loop over the ten columns of each row. It is too short to
    vectorize, so that roots and quotients are computed one by one: the last
    line of Adam takes longer than all lines before it. A flat array is one
    long loop. XLA would fuse a mere reshape with the operations around it, back
    into loops of ten, but it does not fuse across a `cond`.

    Args:
        optimizer: see `reference.adam`.
        gradient: see `reference.adam`.
        variable: see `reference.adam`.
        rate: scalar learning rate.
        l2: see `reference.adam`.
        choose: function that calls its keyword argument `cpu` or `default`
            on its positional arguments, by the device.
    """
    if l2:
        table = ops.cast(ops.convert_to_tensor(variable), gradient.dtype)
        gradient = gradient + 2.0 * l2 * table
    index = optimizer._get_variable_index(variable)
    momentum = optimizer._momentums[index]
    velocity = optimizer._velocities[index]
    dtype = variable.dtype
    gradient = ops.cast(gradient, dtype)
    steps = ops.cast(optimizer.iterations + 1, dtype)
    correction_1, correction_2 = (
        1 - ops.power(ops.cast(beta, dtype), steps)
        for beta in (optimizer.beta_1, optimizer.beta_2)
    )
    rate = ops.cast(rate, dtype) * ops.sqrt(correction_2)
    optimizer.assign_add(
        momentum, (gradient - momentum) * (1 - optimizer.beta_1)
    )
    optimizer.assign_add(
        velocity, (ops.square(gradient) - velocity) * (1 - optimizer.beta_2)
    )
    if optimizer.amsgrad:
        largest = optimizer._velocity_hats[index]
        optimizer.assign(largest, ops.maximum(largest, velocity))
        velocity = largest
    arrays = [ops.convert_to_tensor(x) for x in (variable, momentum, velocity)]
    epsilon = ops.cast(optimizer.epsilon, dtype)
    moved = _move(arrays, rate / correction_1, epsilon, choose)
    optimizer.assign(variable, moved)


def _move(arrays, rate, epsilon, choose):
    def move(table, momentum, velocity):
        return table - momentum * rate / (ops.sqrt(velocity) + epsilon)

    def move_flat(*arrays):
        flat = [ops.reshape(array, (-1,)) for array in arrays]
        # With a rate of zero nothing moves.
        moved = ops.cond(rate != 0, lambda: move(*flat), lambda: flat[0])
        return ops.reshape(moved, arrays[0].shape)

    return choose(*arrays, cpu=move_flat, default=move)
