"""Moves the weights of whole models to and from `keras.layers.Embedding`."""

from collections.abc import Sequence

import keras
import numpy as np


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
    return [variable.numpy() for variable in _variables(model)]


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
    shapes = [tuple(variable.shape) for variable in variables]
    received = [np.shape(weight) for weight in weights]
    if received != shapes:
        raise ValueError(
            f"`weights` must be arrays of shapes {shapes}. "
            f"Received: arrays of shapes {received}"
        )
    for variable, weight in zip(variables, weights, strict=True):
        variable.assign(weight)


def _variables(model):
    counts = {
        id(variable.cowclip.id_counts)
        for variable in model.weights
        if hasattr(variable, "cowclip")
    }
    return [v for v in model.weights if id(v) not in counts]
