"""Moves the weights of whole models to and from `keras.layers.Embedding`."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from keras_cowclip import backend


def get_weights(model: keras.Model) -> list[np.ndarray]:
    """Returns a model's weights as if its tables were `keras.layers.Embedding`.

    `model.get_weights()` also has the `id_counts` of each `CowClipEmbedding`,
    which a model with Keras' own layer does not expect.

    Args:
        model: a built Keras model.

    Example:

    >>> theirs = keras.Sequential([keras.layers.Embedding(10, 2)])
    >>> ours = keras.Sequential([keras_cowclip.CowClipEmbedding(10, 2)])
    >>> theirs.build((None, 3)), ours.build((None, 3))
    (None, None)
    >>> theirs.set_weights(keras_cowclip.get_weights(ours))
    """
    return [saved_value(variable) for variable in _variables(model)]


def set_weights(model: keras.Model, weights: Sequence[np.ndarray]) -> None:
    """Sets what `get_weights` returns, or a model with Keras' own layer has.

    To read a weight file of such a model, load it into that model first, and
    give its `get_weights()` to this function. Keras' files name each layer by
    its class, so that a file can't be loaded into the other model.

    Args:
        model: a built Keras model.
        weights: list of arrays, in the order of `model.weights`.

    Raises:
        ValueError: if number or shapes are not those of the model's weights.
            Then no weight has changed.

    Example:

    >>> theirs = keras.Sequential([keras.layers.Embedding(10, 2)])
    >>> ours = keras.Sequential([keras_cowclip.CowClipEmbedding(10, 2)])
    >>> theirs.build((None, 3)), ours.build((None, 3))
    (None, None)
    >>> keras_cowclip.set_weights(ours, theirs.get_weights())
    """
    assign_all(_variables(model), weights)


def assign_all(
    variables: Sequence[keras.Variable], weights: Sequence[np.ndarray]
) -> None:
    """Assigns to all variables, or raises and assigns to none."""
    shapes = [saved_shape(variable) for variable in variables]
    received = [np.shape(weight) for weight in weights]
    if received != shapes:
        raise ValueError(
            f"`weights` must be arrays of shapes {shapes}. "
            f"Received: arrays of shapes {received}"
        )
    for variable, weight in zip(variables, weights, strict=True):
        assign_saved(variable, weight)


def is_sharded(variable: keras.Variable) -> bool:
    """Whether devices share the rows of a variable."""
    return hasattr(variable, "saved_rows")


def note_saved_rows(variable: keras.Variable, rows: int) -> None:
    """Notes on a sharded variable how many of its rows are saved."""
    variable.saved_rows = rows


def copy_saved_rows(
    variable: keras.Variable, reference: keras.Variable
) -> keras.Variable:
    """Returns `variable`, with the note of its reference if that is sharded."""
    if is_sharded(reference):
        note_saved_rows(variable, reference.saved_rows)
    return variable


def saved_shape(variable: keras.Variable) -> tuple[int, ...]:
    """Returns the shape of `saved_value`."""
    if is_sharded(variable):
        return (variable.saved_rows, *variable.shape[1:])
    return tuple(variable.shape)


def saved_value(variable: keras.Variable) -> np.ndarray:
    """Returns what is saved of a variable: no rows that sharding added."""
    value = variable.numpy()
    return value[: variable.saved_rows] if is_sharded(variable) else value


def assign_saved(variable: keras.Variable, value: Any) -> None:
    """Sets a variable to what `saved_value` returned, or a file holds."""
    if is_sharded(variable):
        backend.assign_rows(variable, value)
    else:
        variable.assign(value)


def _variables(model):
    counts = {
        id(variable.cowclip.id_counts)
        for variable in model.weights
        if hasattr(variable, "cowclip")
    }
    return [v for v in model.weights if id(v) not in counts]
