import keras
from keras import ops

from zoo.checks import check_boolean
from zoo.checks import check_positive_integer
from zoo.checks import check_rate


@keras.saving.register_keras_serializable(package="zoo")
class EulerInteraction(keras.layers.Layer):
    """Products of powers of complex numbers, and a linear mix beside them.

    With `z_i = exp(l_i + 1j * t_i)` the numbers `z` of field `i` in polar form,
    by element, its real parts `r` and imaginary ones `p`:
    `z_next[k] = exp(sum_i W[i, k] * (l_i + 1j * t_i) + b_k) + relu(r V + c)[k]
    + 1j * relu(p V + c)[k]`.

    Args:
        units: integer, the number of outputs `k`.
        explicit_dropout: float in `[0, 1)`, of `l` and `t`. Defaults to `0.0`.
        implicit_dropout: float in `[0, 1)`, of `r` and `p` before `V`.
            Defaults to `0.0`.
        layer_norm: boolean, whether the real and imaginary outputs are layer
            normalized. Defaults to `False`.
        **kwargs: arguments of `keras.layers.Layer`.

    Input shape:
        List of the real and the imaginary parts, both
        `(batch, fields, embedding_dim)`.

    Output shape:
        List of such, both `(batch, units, embedding_dim)`.

    Example:

    >>> real = np.ones((2, 3, 4), dtype="float32")
    >>> real, imaginary = EulerInteraction(5)([real, 0 * real])
    >>> real.shape
    (2, 5, 4)

    Reference:
    - [Tian et al., 2023](https://arxiv.org/abs/2304.10711)
    """

    def __init__(
        self,
        units,
        explicit_dropout=0.0,
        implicit_dropout=0.0,
        layer_norm=False,
        **kwargs,
    ):
        super().__init__(**kwargs)
        check_positive_integer("units", units)
        check_rate("explicit_dropout", explicit_dropout)
        check_rate("implicit_dropout", implicit_dropout)
        check_boolean("layer_norm", layer_norm)
        self.units = units
        self.explicit_rate = explicit_dropout
        self.implicit_rate = implicit_dropout
        self.layer_norm = layer_norm
        self.explicit_dropout, self.implicit_dropout = (
            keras.layers.Dropout(rate, dtype=self.dtype_policy)
            for rate in (explicit_dropout, implicit_dropout)
        )
        self.norms = [
            keras.layers.LayerNormalization(
                epsilon=1e-5, dtype=self.dtype_policy, name=name
            )
            for name in ("real_norm", "imaginary_norm")
            if layer_norm
        ]

    def build(self, input_shape):
        batch, fields, dim = input_shape[0]
        normal = keras.initializers.RandomNormal(stddev=0.01)
        self.orders = self.add_weight(
            shape=(fields, self.units), initializer=_one_field, name="orders"
        )
        self.modulus_bias, self.angle_bias = (
            self.add_weight(
                shape=(self.units, dim), initializer=normal, name=name
            )
            for name in ("modulus_bias", "angle_bias")
        )
        self.kernel = self.add_weight(
            shape=(fields * dim, self.units * dim),
            initializer="glorot_uniform",
            name="kernel",
        )
        self.bias = self.add_weight(
            shape=(self.units * dim,), initializer="zeros", name="bias"
        )
        for norm in self.norms:
            norm.build((batch, self.units, dim))

    def call(self, inputs, training=None):
        real, imaginary = inputs
        square = ops.square(real) + ops.square(imaginary)
        # FuxiCTR's term, without which 0 has no logarithm.
        logarithm = 0.5 * ops.log(square + 1e-8)
        # The angle of 0 has a gradient on PyTorch alone.
        angle = ops.arctan2(imaginary, ops.where(square > 0, real, 1.0))
        modulus = self._mixed(logarithm, training)
        modulus = ops.exp(modulus + self.modulus_bias)
        angle = self._mixed(angle, training) + self.angle_bias
        outputs = [
            self._implicit(real, training) + modulus * ops.cos(angle),
            self._implicit(imaginary, training) + modulus * ops.sin(angle),
        ]
        for i, norm in enumerate(self.norms):
            outputs[i] = norm(outputs[i])
        return outputs

    def _mixed(self, parts, training):
        parts = self.explicit_dropout(parts, training=training)
        return ops.matmul(ops.transpose(self.orders), parts)

    def _implicit(self, parts, training):
        parts = self.implicit_dropout(parts, training=training)
        fields, dim = parts.shape[1:]
        flat = ops.reshape(parts, (-1, fields * dim))
        mixed = ops.relu(ops.matmul(flat, self.kernel) + self.bias)
        return ops.reshape(mixed, (-1, self.units, dim))

    def compute_output_shape(self, input_shape):
        batch, _, dim = input_shape[0]
        return [(batch, self.units, dim)] * 2

    def get_config(self):
        return {
            **super().get_config(),
            "units": self.units,
            "explicit_dropout": self.explicit_rate,
            "implicit_dropout": self.implicit_rate,
            "layer_norm": self.layer_norm,
        }


def _one_field(shape, dtype=None):
    """Draws exponents that select one field each, or nearly so."""
    if shape[0] == shape[1]:
        return ops.eye(shape[0], dtype=dtype)
    noise = keras.random.normal(shape, stddev=100.0)
    return ops.cast(ops.softmax(noise, axis=0), dtype)
