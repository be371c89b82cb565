"""Draws weights of three axes or more, of which Keras counts the last two."""

import math

import keras


def xavier_normal(shape: tuple[int, ...]) -> keras.initializers.Initializer:
    """Returns PyTorch's `xavier_normal_`.

    It takes the first axis for the outputs and the second for the inputs, both
    times all others.

    Args:
        shape: tuple of integers, at least two: that of PyTorch's tensor.

    Example:

    >>> xavier_normal((3, 4, 2)).stddev  # sqrt(2 / (3 * 2 + 4 * 2))
    """
    outputs, inputs, *rest = shape
    fans = (inputs + outputs) * math.prod(rest)
    return keras.initializers.RandomNormal(stddev=math.sqrt(2 / fans))


def glorot_normal(inputs: int, outputs: int) -> keras.initializers.Initializer:
    """Returns Keras' Glorot normal of a kernel, for many of them in one weight.

    Args:
        inputs: integer, the rows of one kernel.
        outputs: integer, its columns.

    Example:

    >>> glorot_normal(3, 4).stddev  # sqrt(2 / (3 + 4)) / 0.8796...
    """
    # Keras' factor: truncation at two deviations makes them smaller by it.
    return keras.initializers.TruncatedNormal(
        stddev=(2 / (inputs + outputs)) ** 0.5 / 0.87962566103423978
    )
