import math

import keras
from keras import ops

from zoo.checks import check_positive_integer


@keras.saving.register_keras_serializable(package="zoo")
class RowMaxPooling(keras.layers.Layer):
    """The largest of every few neighbouring rows, in each column for itself.

    There are `ceil(rows / size)` groups. If `size` does not divide the rows,
    the first group lacks `rows % size` rows, or all that are missing if those
    are fewer, as in FuxiCTR. The last group lacks the rest.

    Args:
        size: integer, the rows of a group.
        **kwargs: arguments of `keras.layers.Layer`.

    Input shape:
        `(batch, rows, dim, channels)`.

    Output shape:
        `(batch, ceil(rows / size), dim, channels)`.

    Raises:
        ValueError: if `size` is no positive integer.

    Example:

    >>> rows = np.array([[[[1.0]], [[9.0]], [[5.0]]]], dtype="float32")
    >>> RowMaxPooling(2)(rows)[:, :, 0, 0]  # [[1.0, 9.0]]
    """

    def __init__(self, size, **kwargs):
        super().__init__(**kwargs)
        check_positive_integer("size", size)
        self.size = size

    def call(self, inputs):
        _, rows, dim, channels = inputs.shape
        groups = math.ceil(rows / self.size)
        missing = groups * self.size - rows
        front = min(rows % self.size, missing)
        padded = ops.pad(
            inputs,
            ((0, 0), (front, missing - front), (0, 0), (0, 0)),
            constant_values=-math.inf,
        )
        shape = (-1, groups, self.size, dim, channels)
        return ops.max(ops.reshape(padded, shape), axis=2)

    def compute_output_shape(self, input_shape):
        batch, rows, *rest = input_shape
        return (batch, math.ceil(rows / self.size), *rest)

    def get_config(self):
        return {**super().get_config(), "size": self.size}
