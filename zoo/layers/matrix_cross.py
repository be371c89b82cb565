import keras
from keras import ops


@keras.saving.register_keras_serializable(package="zoo")
class MatrixCross(keras.layers.Layer):
    """One cross layer of DCN-V2, with a full weight matrix.

    `x_next = x0 * (x W + b) + x`. Stack layers by passing the first input
    again, as with `zoo.layers.Cross`, which has a weight vector.

    Args:
        kernel_regularizer: Keras regularizer of `W`. Defaults to `None`.
        **kwargs: arguments of `keras.layers.Layer`.

    Input shape:
        List of `x0` and `x`, both `(batch, units)`.

    Output shape:
        `(batch, units)`.

    Example:

    >>> x0 = np.ones((2, 3), dtype="float32")
    >>> MatrixCross()([x0, x0]).shape
    (2, 3)

    Reference:
    - [Wang et al., 2020](https://arxiv.org/abs/2008.13535), equation 1.
    """

    def __init__(self, kernel_regularizer=None, **kwargs):
        super().__init__(**kwargs)
        self.kernel_regularizer = keras.regularizers.get(kernel_regularizer)

    def build(self, input_shape):
        units = input_shape[0][-1]
        self.kernel = self.add_weight(
            shape=(units, units),
            initializer="glorot_normal",
            regularizer=self.kernel_regularizer,
            name="kernel",
        )
        self.bias = self.add_weight(
            shape=(units,), initializer="zeros", name="bias"
        )

    def call(self, inputs):
        first, current = inputs
        return first * (ops.matmul(current, self.kernel) + self.bias) + current

    def compute_output_shape(self, input_shape):
        return input_shape[0]

    def get_config(self):
        return {
            **super().get_config(),
            "kernel_regularizer": keras.regularizers.serialize(
                self.kernel_regularizer
            ),
        }
