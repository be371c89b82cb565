import keras
from keras import ops


@keras.saving.register_keras_serializable(package="zoo")
class GatedCross(keras.layers.Layer):
    """One cross layer with a gate that weighs what it found.

    `x_next = x0 * (x W + b) * sigmoid(x G) + x`. Stack layers by passing the
    first input again, as with `zoo.layers.MatrixCross`, which has no gate.

    Args:
        **kwargs: arguments of `keras.layers.Layer`.

    Input shape:
        List of `x0` and `x`, both `(batch, units)`.

    Output shape:
        `(batch, units)`.

    Example:

    >>> x0 = np.ones((2, 3), dtype="float32")
    >>> GatedCross()([x0, x0]).shape
    (2, 3)

    Reference:
    - [Wang et al., 2023](https://arxiv.org/abs/2311.04635), equation 3.
    """

    def build(self, input_shape):
        units = input_shape[0][-1]
        self.kernel = self.add_weight(
            shape=(units, units), initializer="glorot_normal", name="kernel"
        )
        self.gate = self.add_weight(
            shape=(units, units), initializer="glorot_normal", name="gate"
        )
        self.bias = self.add_weight(
            shape=(units,),
            initializer=keras.initializers.RandomUniform(0.0, 1.0),
            name="bias",
        )

    def call(self, inputs):
        first, current = inputs
        crossed = first * (ops.matmul(current, self.kernel) + self.bias)
        gate = ops.sigmoid(ops.matmul(current, self.gate))
        return crossed * gate + current

    def compute_output_shape(self, input_shape):
        return input_shape[0]
