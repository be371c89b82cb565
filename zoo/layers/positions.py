import keras
import numpy as np
from keras import ops

from zoo.checks import check_positive_integer_or_none


@keras.saving.register_keras_serializable(package="zoo")
class Positions(keras.layers.Layer):
    """Tells events where they stand, by a learned vector for each place.

    Vectors are sines and cosines of the place at first.

    Args:
        dim: integer, the length of the vectors, which are put beside the
            events. Defaults to `None`, that of the events, to which they are
            added.
        **kwargs: arguments of `keras.layers.Layer`.

    Input shape:
        `(batch, length, width)`.

    Output shape:
        `(batch, length, width + dim)`, or that of the input.

    Example:

    >>> Positions(dim=4)(np.ones((2, 3, 8), dtype="float32")).shape
    (2, 3, 12)
    """

    def __init__(self, dim=None, **kwargs):
        super().__init__(**kwargs)
        check_positive_integer_or_none("dim", dim)
        self.dim = dim

    def build(self, input_shape):
        _, length, width = input_shape
        self.vectors = self.add_weight(
            shape=(length, self.dim or width),
            initializer=_waves,
            name="vectors",
        )

    def call(self, inputs):
        if self.dim is None:
            return inputs + self.vectors
        vectors = ops.broadcast_to(
            self.vectors, (ops.shape(inputs)[0], *self.vectors.shape)
        )
        return ops.concatenate([inputs, vectors], axis=-1)

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], input_shape[-1] + (self.dim or 0))

    def get_config(self):
        return {**super().get_config(), "dim": self.dim}


def _waves(shape, dtype=None):
    """Sines at even and cosines at odd places, slower from left to right."""
    length, dim = shape
    places = np.arange(dim)
    rates = 1e4 ** -((places - places % 2) / dim)
    angles = np.arange(length)[:, None] * rates
    waves = np.where(places % 2, np.cos(angles), np.sin(angles))
    return ops.convert_to_tensor(waves, dtype=dtype)
