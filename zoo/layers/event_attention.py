import keras
import numpy as np
from keras import ops

from zoo.checks import check_boolean
from zoo.checks import check_positive_integer
from zoo.checks import check_rate
from zoo.layers.field_self_attention import check_heads
from zoo.layers.masked_sum import masked_softmax
from zoo.layers.xavier import glorot_normal


@keras.saving.register_keras_serializable(package="zoo")
class EventAttention(keras.layers.Layer):
    """Self-attention over events and those before them, together or by head.

    Of `q, k, v = x U`, each head has a slice of `width / num_heads`, and
    `h = softmax(q k^T / sqrt(width / num_heads)) v` over the event itself and
    the events before it. Together, `s = norm([h of each head] W + x)` and
    `relu(s A + a) B + b + s`. With `separate` each head has `W`, `A`, `B` and a
    norm of its own, and gives a vector of the whole width.

    `zoo.layers.TransformerBlock` also normalizes behind its perceptron, and
    has no separate heads.

    Args:
        num_heads: integer, which must divide the width. Defaults to `1`.
        separate: boolean, whether heads stay apart. Defaults to `False`.
        use_bias: boolean, whether `x U` and what `W` makes have biases.
            Defaults to `True`.
        layer_norm: boolean, whether there is the norm. Defaults to `True`.
        attention_dropout: float in `[0, 1)`, of the weights of the softmax.
            Defaults to `0.0`.
        dropout: float in `[0, 1)`, of what is added to `x`. Defaults to `0.0`.
        **kwargs: arguments of `keras.layers.Layer`.

    Input shape:
        List of the events, `(batch, length, width)`, and the mask, `(batch,
        length)` booleans, `False` for padding.

    Output shape:
        `(batch, length, width)`, or with `separate` `(batch, length, num_heads,
        width)`.

    Raises:
        ValueError: when it is built, if the heads do not divide the width.

    Example:

    >>> events = np.ones((2, 3, 4), dtype="float32")
    >>> mask = np.array([[False, True, True], [False, False, False]])
    >>> EventAttention(num_heads=2, separate=True)([events, mask]).shape
    (2, 3, 2, 4)

    Reference:
    - [Xiao et al., 2020](https://doi.org/10.1145/3340531.3412092)
    """

    def __init__(
        self,
        num_heads=1,
        *,
        separate=False,
        use_bias=True,
        layer_norm=True,
        attention_dropout=0.0,
        dropout=0.0,
        **kwargs,
    ):
        super().__init__(**kwargs)
        check_positive_integer("num_heads", num_heads)
        check_boolean("separate", separate)
        check_boolean("use_bias", use_bias)
        check_boolean("layer_norm", layer_norm)
        check_rate("attention_dropout", attention_dropout)
        check_rate("dropout", dropout)
        self.num_heads = num_heads
        self.separate = separate
        self.use_bias = use_bias
        self.layer_norm = layer_norm
        self.rates = (attention_dropout, dropout)
        self.dropouts = [
            keras.layers.Dropout(rate, dtype=self.dtype_policy)
            for rate in self.rates
        ]

    def build(self, input_shape):
        width = input_shape[0][-1]
        check_heads("width", width, self.num_heads)
        # Heads that are joined are one group.
        groups = self.num_heads if self.separate else 1
        self.projection = self._linear("projection", 1, width, 3 * width, 3)
        self.heads = self._linear("heads", groups, width // groups, width)
        if self.layer_norm:
            shape = (groups, width)
            self.gamma = self.add_weight(
                shape=shape, initializer="ones", name="gamma"
            )
            self.beta = self.add_weight(
                shape=shape, initializer="zeros", name="beta"
            )
        self.hidden = self._linear("hidden", groups, width, 2 * width)
        self.last = self._linear("last", groups, 2 * width, width)

    def call(self, inputs, training=None):
        events, mask = inputs
        attended = self._attention(events, mask, training)
        new = _of_groups(attended, *self.heads)
        new = self.dropouts[1](new, training=training)
        new = new + ops.expand_dims(events, axis=2)
        if self.layer_norm:
            new = ops.layer_normalization(new, axis=-1, epsilon=1e-5)
            new = ops.cast(new, self.compute_dtype) * self.gamma + self.beta
        hidden = ops.relu(_of_groups(new, *self.hidden))
        outputs = _of_groups(hidden, *self.last) + new
        return outputs if self.separate else ops.squeeze(outputs, axis=2)

    def compute_output_shape(self, input_shape):
        *rest, width = input_shape[0]
        heads = (self.num_heads,) if self.separate else ()
        return (*rest, *heads, width)

    def get_config(self):
        return {
            **super().get_config(),
            "num_heads": self.num_heads,
            "separate": self.separate,
            "use_bias": self.use_bias,
            "layer_norm": self.layer_norm,
            "attention_dropout": self.rates[0],
            "dropout": self.rates[1],
        }

    def _attention(self, events, mask, training):
        """`(batch, length, groups, width / groups)`."""
        length, width = events.shape[1:]
        size = width // self.num_heads
        projected = _of_groups(events[:, :, None], *self.projection)
        parts = ops.reshape(projected, (-1, length, 3, self.num_heads, size))
        query, key, value = (
            ops.transpose(parts[:, :, i], (0, 2, 1, 3)) for i in range(3)
        )
        scores = ops.matmul(query, ops.swapaxes(key, 2, 3)) / size**0.5
        weights = masked_softmax(scores, _seen(mask, length))
        weights = self.dropouts[0](weights, training=training)
        heads = ops.transpose(ops.matmul(weights, value), (0, 2, 1, 3))
        if self.separate:
            return heads
        return ops.reshape(heads, (-1, length, 1, width))

    def _linear(self, name, groups, inputs, units, parts=1):
        """Returns kernels, each of their parts Glorot normal, and biases."""
        kernel = self.add_weight(
            shape=(groups, inputs, units),
            initializer=glorot_normal(inputs, units // parts),
            name=f"{name}_kernel",
        )
        if not self.use_bias and name in ("projection", "heads"):
            return (kernel,)
        bias = self.add_weight(
            shape=(groups, units), initializer="zeros", name=f"{name}_bias"
        )
        return kernel, bias


def _of_groups(inputs, kernel, bias=None):
    outputs = ops.einsum("blgi,giu->blgu", inputs, kernel)
    return outputs if bias is None else outputs + bias


def _seen(mask, length):
    """Returns the events each attends to, `(batch, 1, length, length)`."""
    places = np.arange(length)
    query, key = places[:, None], places[None]
    mask = ops.cast(mask, "bool")[:, None, None]
    return ops.logical_and(ops.logical_or(mask, query == key), key <= query)
