"""Averages the weights of tables, for `use_ema`, at few of the steps."""

from typing import Any

import keras
from keras import ops

from keras_cowclip import backend

# The share of an average's window that lies between two of its updates.
INTERVAL = 0.01


def move_averages(optimizer: Any, tables: set[int]) -> None:
    """Updates the moving averages of all weights.

    Keras does it at each step, which for tables is a pass over three arrays of
    their size. Here the averages of tables move once in as many steps as make
    up a hundredth of their window, `1 / (1 - ema_momentum)`: at each one up to
    a momentum of .99.

    Args:
        optimizer: `CowClip`.
        tables: indices of the tables among the optimizer's variables.
    """
    momentum = optimizer.ema_momentum
    # A table rests between its own steps.
    own = optimizer.embedding_accumulation_steps
    steps = own * max(1, round(INTERVAL / (1.0 - momentum) / own))
    iterations = optimizer.iterations
    is_due = ops.logical_or(
        ops.equal((iterations + 1) % steps, 0), ops.equal(iterations, 0)
    )
    for index, (variable, average) in enumerate(
        zip(
            optimizer._trainable_variables,
            optimizer._model_variables_moving_average,
            strict=True,
        )
    ):
        if index not in tables or steps == 1:
            _move(average, variable, momentum, iterations)
            continue

        def move(average=average, variable=variable):
            _move(average, variable, momentum**steps, optimizer.iterations)

        backend.run_if(is_due, move, [average], [variable, iterations])


def _move(
    average: keras.Variable,
    variable: keras.Variable,
    momentum: float,
    iterations: Any,
) -> None:
    """Moves an average as Keras does: the first step sets it to the weight."""
    is_later = ops.cast(ops.not_equal(iterations, 0), variable.dtype)
    kept = is_later * momentum
    average.assign(kept * average + (1.0 - kept) * variable)
