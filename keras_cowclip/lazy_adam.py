"""Adam that moves only the rows of a table that the batch has.

Weights and moments of a row stay what they are in a step that does not see it;
`optimizer` is a `keras.optimizers.Adam`, whose settings and moments are used.
"""

from keras import ops

from keras_cowclip.row_updates import read_rows
from keras_cowclip.row_updates import write_rows


def lazy_adam_rows(optimizer, index, rows, gradient, table, learning_rate):
    """Updates the rows of a `RowGradient`, and reads and writes no others.

    Args:
        optimizer: `keras.optimizers.Adam`.
        index: integer, of the table among the optimizer's variables.
        rows: `RowGradient`, whose ids say which rows.
        gradient: `(rows, embedding_dim)`, with all that is to be added to the
            values of `rows`, and clipped.
        table: `(rows, embedding_dim)`, the rows before the step.
        learning_rate: scalar.
    """
    momentums, velocities = (
        slots[index] for slots in (optimizer._momentums, optimizer._velocities)
    )
    momentum, velocity = (
        read_rows(slot, rows.ids) for slot in (momentums, velocities)
    )
    momentum = momentum + (gradient - momentum) * (1 - optimizer.beta_1)
    velocity = velocity + (ops.square(gradient) - velocity) * (
        1 - optimizer.beta_2
    )
    rate = _corrected_rate(optimizer, learning_rate, "float32")
    table = table - momentum * rate / (ops.sqrt(velocity) + optimizer.epsilon)
    write_rows(momentums, rows.ids, momentum)
    write_rows(velocities, rows.ids, velocity)
    write_rows(optimizer._trainable_variables[index], rows.ids, table)


def lazy_adam_step(optimizer, gradient, variable, counts, learning_rate):
    """The same by a gradient as large as the table.

    Absent rows are multiplied by 0 instead of being left out, so that every
    shape is static.
    """
    index = optimizer._get_variable_index(variable)
    momentum = optimizer._momentums[index]
    velocity = optimizer._velocities[index]
    gradient = ops.cast(gradient, variable.dtype)
    present = ops.expand_dims(ops.cast(counts > 0, variable.dtype), -1)
    optimizer.assign_add(
        momentum, (gradient - momentum) * (1 - optimizer.beta_1) * present
    )
    optimizer.assign_add(
        velocity,
        (ops.square(gradient) - velocity) * (1 - optimizer.beta_2) * present,
    )
    rate = _corrected_rate(optimizer, learning_rate, variable.dtype)
    optimizer.assign_sub(
        variable,
        momentum * rate * present / (ops.sqrt(velocity) + optimizer.epsilon),
    )


def _corrected_rate(optimizer, learning_rate, dtype):
    step = ops.cast(optimizer.iterations + 1, dtype)
    return (
        ops.cast(learning_rate, dtype)
        * ops.sqrt(1 - ops.power(optimizer.beta_2, step))
        / (1 - ops.power(optimizer.beta_1, step))
    )
