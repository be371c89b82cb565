import keras
from keras import ops

from zoo.checks import check_positive_integer


@keras.saving.register_keras_serializable(package="zoo")
class LearnedVector(keras.layers.Layer):
    """A vector that is learned, the same for all rows; zeros at first.

    Args:
        units: integer, its length.
        **kwargs: arguments of `keras.layers.Layer`.

    Input shape:
        Any. Keras needs an input to connect the layer to the batch.

    Output shape:
        `(1, units)`, which broadcasts over the batch.

    Example:

    >>> LearnedVector(3)(np.ones((2, 5), dtype="float32")).shape
    (1, 3)
    """

    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        check_positive_integer("units", units)
        self.units = units

    def build(self, input_shape):
        del input_shape
        self.vector = self.add_weight(
            shape=(self.units,), initializer="zeros", name="vector"
        )

    def call(self, inputs):
        del inputs
        return ops.expand_dims(self.vector, axis=0)

    def compute_output_shape(self, input_shape):
        del input_shape
        return (1, self.units)

    def get_config(self):
        return {**super().get_config(), "units": self.units}
