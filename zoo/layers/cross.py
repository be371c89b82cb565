import keras
from keras import ops


@keras.saving.register_keras_serializable(package="zoo")
class Cross(keras.layers.Layer):
    """One cross layer of the Deep & Cross Network, with a weight vector.

    `x_next = x0 * <x, w> + b + x`. Stack layers by passing the first input
    again: `x1 = Cross()([x0, x0]); x2 = Cross()([x0, x1])`. For the matrix
    form of DCN-V2 see `zoo.layers.MatrixCross`.

    Args:
        kernel_regularizer: Keras regularizer of `w`. Defaults to `None`.
        residual: boolean. `False` leaves `+ x` out. Defaults to `True`.
        **kwargs: arguments of `keras.layers.Layer`.

    Input shape:
        List of `x0` and `x`, both `(batch, units)`.

    Output shape:
        `(batch, units)`.

    Example:

    >>> x0 = np.ones((2, 3), dtype="float32")
    >>> Cross()([x0, x0]).shape
    (2, 3)

    Reference:
    - [Wang et al., 2017](https://arxiv.org/abs/1708.05123), equation 3.
    """

    def __init__(self, kernel_regularizer=None, residual=True, **kwargs):
        super().__init__(**kwargs)
        self.residual = residual
        self.kernel_regularizer = keras.regularizers.get(kernel_regularizer)

    def build(self, input_shape):
        units = input_shape[0][-1]
        self.kernel = self.add_weight(
            shape=(units, 1),
            initializer="glorot_normal",
            regularizer=self.kernel_regularizer,
            name="kernel",
        )
        self.bias = self.add_weight(
            shape=(units,), initializer="zeros", name="bias"
        )

    def call(self, inputs):
        first, current = inputs
        crossed = first * ops.matmul(current, self.kernel) + self.bias
        return crossed + current if self.residual else crossed

    def compute_output_shape(self, input_shape):
        return input_shape[0]

    def get_config(self):
        return {
            **super().get_config(),
            "kernel_regularizer": keras.regularizers.serialize(
                self.kernel_regularizer
            ),
            "residual": self.residual,
        }
