import keras
from keras import ops

from zoo.checks import check_boolean
from zoo.checks import check_positive_integer
from zoo.layers.field_self_attention import check_heads
from zoo.layers.masked_sum import masked_softmax


@keras.saving.register_keras_serializable(package="zoo")
class TemporalInterest(keras.layers.Layer):
    """Events by their relation to a target, and by how long ago they were.

    `sum over events of softmax(<q, k> / sqrt(d)) * (v * q)`, elementwise in the
    last product. Learned positions `p` are added to the target and the events:
    `q = t + p_0`, and `k = v = e + p_n` for an event `n` places before the
    target. Each head has a slice, `d` wide, with a softmax of its own.

    Args:
        num_heads: integer, which must divide the width. Defaults to `1`.
        projected: boolean, whether `q`, `k` and `v` are multiplied by matrices.
            Defaults to `False`.
        **kwargs: arguments of `keras.layers.Layer`.

    Input shape:
        List of the events, `(batch, length, width)`, the newest last, the
        target, `(batch, width)`, and the mask, `(batch, length)` booleans,
        `False` for padding.

    Output shape:
        `(batch, width)`, zero where there is no event.

    Raises:
        ValueError: when it is built, if the heads do not divide the width.

    Example:

    >>> events = np.ones((2, 3, 4), dtype="float32")
    >>> mask = np.array([[False, True, True], [False, False, False]])
    >>> TemporalInterest(num_heads=2)([events, events[:, 0], mask]).shape
    (2, 4)

    Reference:
    - [Zhou et al., 2024](https://arxiv.org/abs/2308.08487), section 4.
    """

    def __init__(self, num_heads=1, projected=False, **kwargs):
        super().__init__(**kwargs)
        check_positive_integer("num_heads", num_heads)
        check_boolean("projected", projected)
        self.num_heads = num_heads
        self.projected = projected

    def build(self, input_shape):
        _, length, width = input_shape[0]
        check_heads("width", width, self.num_heads)
        self.positions = self.add_weight(
            shape=(length + 1, width),
            initializer=keras.initializers.RandomNormal(stddev=0.02),
            name="positions",
        )
        self.kernels = [
            self.add_weight(
                shape=(width, width),
                initializer="glorot_normal",
                name=f"{name}_kernel",
            )
            for name in ("query", "key", "value")
            if self.projected
        ]

    def call(self, inputs):
        events, target, mask = inputs
        length, width = events.shape[1:]
        size = width // self.num_heads
        # The last event is one place before the target.
        events = events + ops.flip(self.positions[1:], axis=0)
        query, key, value = target + self.positions[0], events, events
        if self.projected:
            query, key, value = (
                ops.matmul(part, kernel)
                for part, kernel in zip(
                    (query, key, value), self.kernels, strict=True
                )
            )
        query = ops.reshape(query, (-1, self.num_heads, size))
        key, value = (
            ops.reshape(part, (-1, length, self.num_heads, size))
            for part in (key, value)
        )
        scores = ops.einsum("bhd,blhd->bhl", query, key) / size**0.5
        mask = ops.cast(mask, "bool")[:, None]
        weights = ops.cast(masked_softmax(scores, mask), value.dtype)
        # The query is the same for all events.
        interest = ops.einsum("bhl,blhd->bhd", weights, value) * query
        return ops.reshape(interest, (-1, width))

    def compute_output_shape(self, input_shape):
        return input_shape[1]

    def get_config(self):
        return {
            **super().get_config(),
            "num_heads": self.num_heads,
            "projected": self.projected,
        }
