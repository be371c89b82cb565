import keras
import numpy as np
from keras import ops

from zoo.checks import check_boolean
from zoo.checks import check_positive_integer
from zoo.checks import check_positive_integer_or_none
from zoo.checks import check_rate
from zoo.layers.activation import check_activation_function
from zoo.layers.field_self_attention import check_heads
from zoo.layers.masked_sum import masked_softmax


@keras.saving.register_keras_serializable(package="zoo")
class TransformerBlock(keras.layers.Layer):
    """Self-attention over events, and a perceptron for each of them.

    `s = norm(x + attention(x))` and `norm(s + (act(s W + b)) V + c)`. The
    attention has heads. Each has a slice of `size = width / num_heads` of
    `q, k, v = x U + d` and computes `softmax(q k^T / sqrt(size)) v`; a linear
    layer joins them. An event attends to itself and to the places that
    the mask lets through. So does padding, whose output is therefore finite.

    Args:
        num_heads: integer, which must divide the width. Defaults to `1`.
        feedforward_units: integer, the width of the hidden layer of the
            perceptron. Defaults to `None`, that of the input.
        activation: string, its activation. `"leaky_relu"` has a slope of 0.01.
            Defaults to `"relu"`.
        causal: boolean, whether events attend to none after them. Defaults to
            `False`.
        residual: boolean, whether `x` and `s` are added. Defaults to `True`.
        layer_norm: boolean, whether there are the normalizations. Defaults to
            `True`.
        attention_dropout: float in `[0, 1)`, of the weights of the attention.
            Defaults to `0.0`.
        hidden_dropout: float in `[0, 1)`, behind the activation. Defaults to
            `0.0`.
        dropout: float in `[0, 1)`, of what is added to `x` and `s`. Defaults to
            `0.0`.
        **kwargs: arguments of `keras.layers.Layer`.

    Input shape:
        List of the events, `(batch, length, width)`, and the mask, `(batch,
        length)` booleans, `False` for padding.

    Output shape:
        `(batch, length, width)`.

    Raises:
        ValueError: when it is built, if the heads do not divide the width.

    Example:

    >>> events = np.ones((2, 3, 4), dtype="float32")
    >>> mask = np.array([[False, True, True], [False, False, False]])
    >>> TransformerBlock(num_heads=2)([events, mask]).shape
    (2, 3, 4)

    Reference:
    - [Vaswani et al., 2017](https://arxiv.org/abs/1706.03762), section 3.
    """

    def __init__(
        self,
        num_heads=1,
        feedforward_units=None,
        *,
        activation="relu",
        causal=False,
        residual=True,
        layer_norm=True,
        attention_dropout=0.0,
        hidden_dropout=0.0,
        dropout=0.0,
        **kwargs,
    ):
        super().__init__(**kwargs)
        check_positive_integer("num_heads", num_heads)
        check_positive_integer_or_none("feedforward_units", feedforward_units)
        check_activation_function("activation", activation)
        check_boolean("causal", causal)
        check_boolean("residual", residual)
        check_boolean("layer_norm", layer_norm)
        rates = {
            "attention_dropout": attention_dropout,
            "hidden_dropout": hidden_dropout,
            "dropout": dropout,
        }
        for name, rate in rates.items():
            check_rate(name, rate)
        self.num_heads = num_heads
        self.feedforward_units = feedforward_units
        self.activation = activation
        self.causal = causal
        self.residual = residual
        self.layer_norm = layer_norm
        self.rates = rates
        self.dropouts = {
            name: keras.layers.Dropout(rate, dtype=self.dtype_policy)
            for name, rate in rates.items()
        }

    def build(self, input_shape):
        width = input_shape[0][-1]
        check_heads("width", width, self.num_heads)
        for name, units in (("projection", 3 * width), ("heads", width)):
            # The first is three kernels, each Glorot normal.
            scale = (width + units) / (2 * width)
            kernel = self.add_weight(
                shape=(width, units),
                initializer=keras.initializers.VarianceScaling(
                    scale, "fan_avg", "truncated_normal"
                ),
                name=f"{name}_kernel",
            )
            bias = self.add_weight(
                shape=(units,), initializer="zeros", name=f"{name}_bias"
            )
            setattr(self, name, (kernel, bias))
        hidden = self.feedforward_units or width
        self.hidden = self._dense(hidden, "feedforward_1", width)
        self.last = self._dense(width, "feedforward_2", hidden)
        self.norms = []
        if self.layer_norm:
            for name in ("attention_norm", "feedforward_norm"):
                norm = keras.layers.LayerNormalization(
                    epsilon=1e-5, dtype=self.dtype_policy, name=name
                )
                norm.build(input_shape[0])
                self.norms.append(norm)

    def call(self, inputs, training=None):
        events, mask = inputs
        attended = self._added(
            events, self._attention(events, mask, training), 0, training
        )
        hidden = self.hidden(attended)
        if self.activation == "leaky_relu":
            hidden = ops.leaky_relu(hidden, 0.01)
        else:
            hidden = keras.activations.get(self.activation)(hidden)
        hidden = self.dropouts["hidden_dropout"](hidden, training=training)
        return self._added(attended, self.last(hidden), 1, training)

    def compute_output_shape(self, input_shape):
        return input_shape[0]

    def get_config(self):
        return {
            **super().get_config(),
            "num_heads": self.num_heads,
            "feedforward_units": self.feedforward_units,
            "activation": self.activation,
            "causal": self.causal,
            "residual": self.residual,
            "layer_norm": self.layer_norm,
            **self.rates,
        }

    def _attention(self, events, mask, training):
        length, width = events.shape[1:]
        size = width // self.num_heads
        projected = _linear(events, *self.projection)
        heads = ops.reshape(projected, (-1, length, 3, self.num_heads, size))
        query, key, value = (
            ops.transpose(heads[:, :, i], (0, 2, 1, 3)) for i in range(3)
        )
        scores = ops.matmul(query, ops.swapaxes(key, 2, 3)) / size**0.5
        weights = masked_softmax(scores, self._seen(mask, length))
        weights = self.dropouts["attention_dropout"](weights, training=training)
        attended = ops.transpose(ops.matmul(weights, value), (0, 2, 1, 3))
        return _linear(ops.reshape(attended, (-1, length, width)), *self.heads)

    def _seen(self, mask, length):
        """Returns the events each attends to, `(batch, 1, length, length)`."""
        places = np.arange(length)
        query, key = places[:, None], places[None]
        seen = ops.logical_or(mask[:, None, None], query == key)
        return ops.logical_and(seen, key <= query) if self.causal else seen

    def _added(self, before, new, place, training):
        new = self.dropouts["dropout"](new, training=training)
        if self.residual:
            new = new + before
        return self.norms[place](new) if self.norms else new

    def _dense(self, units, name, inputs):
        layer = keras.layers.Dense(
            units,
            kernel_initializer="glorot_normal",
            dtype=self.dtype_policy,
            name=name,
        )
        layer.build((None, None, inputs))
        return layer


def _linear(inputs, kernel, bias):
    return ops.matmul(inputs, kernel) + bias
