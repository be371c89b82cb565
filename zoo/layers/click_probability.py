import keras
from keras import ops


@keras.saving.register_keras_serializable(package="zoo")
class ClickProbability(keras.layers.Layer):
    """Adds one bias to a logit and applies the sigmoid.

    `sigmoid(inputs + bias)`.

    Input shape:
        `(batch, 1)`.

    Output shape:
        `(batch, 1)`, in `[0, 1]`.

    Example:

    >>> ClickProbability()(np.zeros((1, 1), dtype="float32"))  # [[0.5]]
    """

    def build(self, input_shape):
        self.bias = self.add_weight(
            shape=(1,), initializer="zeros", name="bias"
        )

    def call(self, inputs):
        return ops.sigmoid(inputs + self.bias)

    def compute_output_shape(self, input_shape):
        return input_shape
