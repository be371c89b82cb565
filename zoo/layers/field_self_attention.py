import keras
from keras import ops

from zoo.checks import check_boolean
from zoo.checks import check_choice
from zoo.checks import check_positive_integer
from zoo.checks import check_rate

RESIDUALS = (None, "input", "projected")


@keras.saving.register_keras_serializable(package="zoo")
class FieldSelfAttention(keras.layers.Layer):
    """Self-attention over fields: each becomes a weighted mean of all.

    `[q, k, v] = x W`, and for each head, a slice of `units / num_heads` of
    each: `softmax(q k^T) v`; the heads side by side are the output.

    Args:
        units: integer, the width of the output: all heads together.
        num_heads: integer, which must divide `units`. Defaults to `1`.
        scaled: boolean, whether `q k^T` is divided by the root of a head's
            width. Defaults to `False`.
        residual: string, what is added to the output: `"input"`, projected
            only if its width is not `units`, or `"projected"`, in any case.
            Defaults to `None`, nothing.
        use_bias: boolean, whether the projections have biases. Defaults to
            `False`.
        activation: string, the activation of `q`, `k` and `v`. Defaults to
            `None`.
        dropout: float in `[0, 1)`, of the weights of the mean. Defaults to
            `0.0`.
        **kwargs: arguments of `keras.layers.Layer`.

    Input shape:
        `(batch, fields, embedding_dim)`.

    Output shape:
        `(batch, fields, units)`.

    Raises:
        ValueError: for another `residual`, or heads that do not divide `units`.

    Example:

    >>> attention = FieldSelfAttention(8, num_heads=2, residual="input")
    >>> attention(np.ones((2, 3, 4), dtype="float32")).shape
    (2, 3, 8)

    Reference:
    - [Vaswani et al., 2017](https://arxiv.org/abs/1706.03762), section 3.2.
    - [Song et al., 2019](https://arxiv.org/abs/1810.11921)
    """

    def __init__(
        self,
        units,
        num_heads=1,
        *,
        scaled=False,
        residual=None,
        use_bias=False,
        activation=None,
        dropout=0.0,
        **kwargs,
    ):
        super().__init__(**kwargs)
        check_heads("units", units, num_heads)
        check_boolean("scaled", scaled)
        check_choice("residual", residual, RESIDUALS)
        check_boolean("use_bias", use_bias)
        check_rate("dropout", dropout)
        self.units = units
        self.num_heads = num_heads
        self.scaled = scaled
        self.residual = residual
        self.use_bias = use_bias
        self.activation = keras.activations.get(activation)
        self.rate = dropout
        self.dropout = keras.layers.Dropout(dropout, dtype=self.dtype_policy)

    def build(self, input_shape):
        dim, units = input_shape[-1], self.units
        # That of three kernels, each Glorot normal.
        scale = (dim + 3 * units) / (dim + units)
        self.kernel = self.add_weight(
            shape=(dim, 3 * units),
            initializer=keras.initializers.VarianceScaling(
                scale, "fan_avg", "truncated_normal"
            ),
            name="kernel",
        )
        self.bias = self._add_bias("bias", 3 * units)
        self.residual_kernel = self.residual_bias = None
        if self.residual == "projected" or (self.residual and dim != units):
            self.residual_kernel = self.add_weight(
                shape=(dim, units),
                initializer="glorot_normal",
                name="residual_kernel",
            )
            self.residual_bias = self._add_bias("residual_bias", units)

    def call(self, inputs, training=None):
        fields, width = inputs.shape[1], self.units // self.num_heads
        projected = _linear(inputs, self.kernel, self.bias)
        heads = ops.reshape(
            self.activation(projected), (-1, fields, 3, self.num_heads, width)
        )
        heads = ops.transpose(heads, (2, 0, 3, 1, 4))
        weights = self.attention_weights(heads[0], heads[1], inputs)
        weights = self.dropout(weights, training=training)
        attended = ops.transpose(ops.matmul(weights, heads[2]), (0, 2, 1, 3))
        outputs = ops.reshape(attended, (-1, fields, self.units))
        if self.residual is None:
            return outputs
        if self.residual_kernel is None:
            return outputs + inputs
        return outputs + _linear(
            inputs, self.residual_kernel, self.residual_bias
        )

    def attention_weights(self, query, key, inputs):
        """Returns how much each field takes of each, summing to 1.

        Args:
            query, key: `(batch, num_heads, fields, units / num_heads)`.
            inputs: those of the layer.

        Returns:
            `(batch, num_heads, fields, fields)`.
        """
        del inputs
        scores = ops.matmul(query, ops.swapaxes(key, 2, 3))
        if self.scaled:
            scores = scores / (self.units // self.num_heads) ** 0.5
        return ops.softmax(scores, axis=-1)

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], self.units)

    def get_config(self):
        return {
            **super().get_config(),
            "units": self.units,
            "num_heads": self.num_heads,
            "scaled": self.scaled,
            "residual": self.residual,
            "use_bias": self.use_bias,
            "activation": keras.activations.serialize(self.activation),
            "dropout": self.rate,
        }

    def _add_bias(self, name, units):
        if not self.use_bias:
            return None
        return self.add_weight(shape=(units,), initializer="zeros", name=name)


def check_heads(name, width, num_heads):
    """Raises a `ValueError` unless heads divide a width.

    Args:
        name: string, the argument that has the width.
        width, num_heads: integers.
    """
    check_positive_integer(name, width)
    check_positive_integer("num_heads", num_heads)
    if width % num_heads:
        raise ValueError(
            f"`num_heads` must divide `{name}`, of which each head has a "
            f"slice. Received: num_heads={num_heads!r}, {name}={width!r}"
        )


def _linear(inputs, kernel, bias):
    outputs = ops.matmul(inputs, kernel)
    return outputs if bias is None else outputs + bias
