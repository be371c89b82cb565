"""Averages the weights of tables, for `use_ema`, at few of the steps."""

from functools import partial
from typing import Any

from keras import ops

from keras_cowclip import backend

# The share of an average's window that lies between two of its updates.
INTERVAL = 0.1


def move_averages(optimizer: Any, tables: set[int]) -> None:
    """Updates the moving averages of all weights.

    Keras does it at each step, which for tables is a pass over three arrays of
    their size. Here the averages of tables move once in a tenth of their
    window of `1 / (1 - ema_momentum)` steps. Up to a momentum of .9 this is
    each step.

    Args:
        optimizer: `CowClip`.
        tables: indices of the tables among the optimizer's variables.
    """
    iterations = optimizer.iterations
    is_first = ops.equal(iterations, 0)
    momentum, steps = optimizer.ema_momentum, steps_between(optimizer)
    is_due = ops.logical_or(is_first, ops.equal((iterations + 1) % steps, 0))
    # As in Keras, the first step sets an average to its weight.
    kept, kept_by_tables = (
        ops.where(is_first, 0.0, momentum**n) for n in (1, steps)
    )
    for index, (variable, average) in enumerate(
        zip(
            optimizer._trainable_variables,
            optimizer._model_variables_moving_average,
            strict=True,
        )
    ):
        if average is None:  # Of a weight that is overwritten, as in float8.
            continue
        if index in tables:
            move = partial(
                backend.move_average, average, variable, kept_by_tables
            )
            backend.run_if(is_due, move, [average], [variable])
        else:
            backend.move_average(average, variable, kept)


def steps_between(optimizer: Any) -> int:
    """Returns the steps from one update of a table's average to the next."""
    # Between its own steps a table does not change.
    own = optimizer.embedding_accumulation_steps
    momentum = optimizer.ema_momentum
    # An overwritten weight would lose the steps that its average lacks.
    if momentum == 1.0 or optimizer.ema_overwrite_frequency:
        return own
    return own * max(1, round(INTERVAL / (1.0 - momentum) / own))
