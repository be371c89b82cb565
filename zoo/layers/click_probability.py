import keras
from keras import ops


@keras.saving.register_keras_serializable(package="zoo")
class ClickProbability(keras.layers.Layer):
    """Adds one bias to each label's logit and applies the sigmoid.

    `sigmoid(inputs + bias)`.

    Input shape:
        `(batch, labels)`, mostly `(batch, 1)`.

    Output shape:
        `(batch, labels)`, in `[0, 1]`.

    Example:

    >>> ClickProbability()(np.zeros((1, 1), dtype="float32"))  # [[0.5]]
    """

    def build(self, input_shape):
        self.bias = self.add_weight(
            shape=(input_shape[-1],), initializer="zeros", name="bias"
        )

    def call(self, inputs):
        return ops.sigmoid(inputs + self.bias)

    def compute_output_shape(self, input_shape):
        return input_shape
