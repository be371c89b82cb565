import keras
from keras import ops

from zoo.checks import check_positive_integer
from zoo.checks import check_rate


@keras.saving.register_keras_serializable(package="zoo")
class AttentionPooling(keras.layers.Layer):
    """The mean of vectors, weighted by how much each matters.

    `sum_i a_i v_i` with `a = softmax_i(<relu(v_i W + b), h>)`.

    Args:
        units: integer, the width of `W`.
        dropout: float in `[0, 1)`, of the weights `a`. Defaults to `0.0`.
        **kwargs: arguments of `keras.layers.Layer`.

    Input shape:
        `(batch, vectors, dim)`.

    Output shape:
        `(batch, dim)`.

    Example:

    >>> AttentionPooling(8)(np.ones((2, 3, 4), dtype="float32")).shape
    (2, 4)

    Reference:
    - [Xiao et al., 2017](https://arxiv.org/abs/1708.04617), section 3.2.
    """

    def __init__(self, units, dropout=0.0, **kwargs):
        super().__init__(**kwargs)
        check_positive_integer("units", units)
        check_rate("dropout", dropout)
        self.units = units
        self.rate = dropout
        self.dropout = keras.layers.Dropout(dropout, dtype=self.dtype_policy)

    def build(self, input_shape):
        dim = input_shape[-1]
        self.kernel = self.add_weight(
            shape=(dim, self.units), initializer="glorot_normal", name="kernel"
        )
        self.bias = self.add_weight(
            shape=(self.units,), initializer="zeros", name="bias"
        )
        self.score = self.add_weight(
            shape=(self.units, 1), initializer="glorot_normal", name="score"
        )

    def call(self, inputs, training=None):
        hidden = ops.relu(ops.matmul(inputs, self.kernel) + self.bias)
        weights = ops.softmax(ops.matmul(hidden, self.score), axis=1)
        weights = self.dropout(weights, training=training)
        return ops.sum(weights * inputs, axis=1)

    def compute_output_shape(self, input_shape):
        return (input_shape[0], input_shape[-1])

    def get_config(self):
        return {
            **super().get_config(),
            "units": self.units,
            "dropout": self.rate,
        }
