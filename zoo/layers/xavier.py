"""Draws weights as PyTorch does, where Keras would count axes otherwise."""

import math

import keras


def xavier_normal(shape: tuple[int, ...]) -> keras.initializers.Initializer:
    """Returns the initializer that `xavier_normal_` of PyTorch is.

    It takes the first axis for the outputs and the second for the inputs, both
    times all others; Keras takes the last two.

    Args:
        shape: tuple of integers, at least two: that of PyTorch's tensor.

    Example:

    >>> xavier_normal((3, 4, 2)).stddev  # sqrt(2 / (3 * 2 + 4 * 2))
    """
    outputs, inputs, *rest = shape
    fans = (inputs + outputs) * math.prod(rest)
    return keras.initializers.RandomNormal(stddev=math.sqrt(2 / fans))
