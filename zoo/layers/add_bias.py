import keras


@keras.saving.register_keras_serializable(package="zoo")
class AddBias(keras.layers.Layer):
    """Adds a trained number to each unit: `inputs + bias`.

    Input shape:
        `(batch, ..., units)`.

    Output shape:
        That of the input.

    Example:

    >>> AddBias()(np.ones((1, 2), dtype="float32"))  # [[1.0, 1.0]]
    """

    def build(self, input_shape):
        self.bias = self.add_weight(
            shape=(input_shape[-1],), initializer="zeros", name="bias"
        )

    def call(self, inputs):
        return inputs + self.bias

    def compute_output_shape(self, input_shape):
        return input_shape
