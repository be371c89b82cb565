import keras
from keras import ops

from zoo.checks import check_boolean
from zoo.checks import check_positive_integer


@keras.saving.register_keras_serializable(package="zoo")
class FieldMixing(keras.layers.Layer):
    """Vectors that are linear mixes of the fields' vectors.

    `outputs[k] = sum_i W[i, k] * v_i + b_k`, the same for each element.

    Args:
        units: integer, the number of outputs.
        use_bias: boolean, whether each output has a bias. Defaults to `False`.
        **kwargs: arguments of `keras.layers.Layer`.

    Input shape:
        `(batch, fields, embedding_dim)`.

    Output shape:
        `(batch, units, embedding_dim)`.

    Example:

    >>> FieldMixing(5)(np.ones((2, 3, 4), dtype="float32")).shape
    (2, 5, 4)

    Reference:
    - [Zhang et al., 2024](https://arxiv.org/abs/2403.02545)
    """

    def __init__(self, units, use_bias=False, **kwargs):
        super().__init__(**kwargs)
        check_positive_integer("units", units)
        check_boolean("use_bias", use_bias)
        self.units = units
        self.use_bias = use_bias

    def build(self, input_shape):
        self.kernel = self.add_weight(
            shape=(input_shape[1], self.units),
            initializer="glorot_normal",
            name="kernel",
        )
        if self.use_bias:
            self.bias = self.add_weight(
                shape=(self.units,), initializer="zeros", name="bias"
            )

    def call(self, inputs):
        mixed = ops.matmul(ops.transpose(self.kernel), inputs)
        if self.use_bias:
            mixed = mixed + ops.expand_dims(self.bias, -1)
        return mixed

    def compute_output_shape(self, input_shape):
        return (input_shape[0], self.units, input_shape[2])

    def get_config(self):
        return {
            **super().get_config(),
            "units": self.units,
            "use_bias": self.use_bias,
        }
