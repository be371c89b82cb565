import keras
from keras import ops


@keras.saving.register_keras_serializable(package="zoo")
class ClickProbability(keras.layers.Layer):
    """Adds one bias to each label's logit and applies the sigmoid.

    `sigmoid(inputs + bias)`.

    Args:
        use_bias: boolean, whether it has the bias. Defaults to `True`; networks
            whose logits have biases of their own need none.
        **kwargs: arguments of `keras.layers.Layer`.

    Input shape:
        `(batch, labels)`, mostly `(batch, 1)`.

    Output shape:
        `(batch, labels)`, in `[0, 1]`.

    Example:

    >>> ClickProbability()(np.zeros((1, 1), dtype="float32"))  # [[0.5]]
    """

    def __init__(self, use_bias=True, **kwargs):
        super().__init__(**kwargs)
        self.use_bias = use_bias
        self.bias = 0.0

    def build(self, input_shape):
        if self.use_bias:
            self.bias = self.add_weight(
                shape=(input_shape[-1],), initializer="zeros", name="bias"
            )

    def call(self, inputs):
        return ops.sigmoid(inputs + self.bias)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {**super().get_config(), "use_bias": self.use_bias}
