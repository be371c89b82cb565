"""Adam of a table on the CPU by XLA, with roots and quotients in vectors.

XLA makes loops of ten of an operation on a table of ten columns. They are too
short for a processor's vectors, and the last line of Adam, whose roots and
quotients then come one by one, takes longer than all else of it. Of a flat
array it makes one long loop; but it fuses a mere reshape into what is before
and after it, and is back at loops of ten. What is in a `cond` it leaves alone
(`benchmarks/speed/table_update.py`).
"""

from typing import Any

import keras
from keras import ops

from keras_cowclip.one_pass import can_compile
from keras_cowclip.one_pass import is_compiled_by_jax

Tensor = Any


def can_flatten(gradient: Tensor, variable, learning_rate: Tensor) -> bool:
    """Whether XLA compiles the step of a table, for one CPU, at one rate.

    On JAX the device is known later, when the step is compiled.

    Args:
        gradient: of the table, as large as it.
        variable: the table, as `update_step` has it.
        learning_rate: of the table: a number, or one for each row.
    """
    if len(learning_rate.shape):
        return False
    if can_compile([variable]):
        return "CPU" in variable.device
    # Flat, a table that is sharded by columns would have to be moved.
    return is_compiled_by_jax(gradient)


def flat_adam_step(
    optimizer, gradient: Tensor, variable, learning_rate: Tensor
) -> None:
    """Updates a table and its moments, as `Adam.update_step` does."""
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
    rate = ops.cast(learning_rate, dtype) * ops.sqrt(correction_2)
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
    table, momentum, velocity = (
        ops.convert_to_tensor(x) for x in (variable, momentum, velocity)
    )
    moved = _move(
        table,
        momentum,
        velocity,
        rate / correction_1,
        ops.cast(optimizer.epsilon, dtype),
    )
    optimizer.assign(variable, moved)


def _move(table, momentum, velocity, rate, epsilon):
    def move(table, momentum, velocity):
        return table - momentum * rate / (ops.sqrt(velocity) + epsilon)

    def move_flat(*arrays):
        flat = [ops.reshape(array, (-1,)) for array in arrays]
        # A rate of zero moves nothing.
        moved = ops.cond(rate != 0, lambda: move(*flat), lambda: flat[0])
        return ops.reshape(moved, table.shape)

    arrays = table, momentum, velocity
    if keras.backend.backend() == "tensorflow":
        return move_flat(*arrays)
    from jax import lax

    return lax.platform_dependent(*arrays, cpu=move_flat, default=move)
