import keras
from keras import ops

from zoo.checks import check_boolean
from zoo.checks import check_positive_integer_or_none
from zoo.checks import check_rate
from zoo.layers.field_self_attention import check_heads
from zoo.layers.masked_sum import lowered
from zoo.layers.places import take_at
from zoo.layers.places import top_places
from zoo.layers.top_events import events_at


@keras.saving.register_keras_serializable(package="zoo")
class TargetAttention(keras.layers.Layer):
    """Attends from a target to events, in several heads.

    For each head, `softmax over events of (t Q)(e K)` weighs the `e V`; the
    heads side by side, times `O`, are the output. Events are not projected one
    by one: `(t Q)(e K)` is `(t Q K') e`, and `sum w (e V)` is `(sum w e) V`.

    Args:
        units: integer, the width of all heads together.
        num_heads: integer, which must divide `units`. Defaults to `1`.
        dropout: float in `[0, 1)`, of the weights. Defaults to `0.0`.
        scaled: boolean, whether scores are divided by the root of a head's
            width. Defaults to `True`.
        projected: boolean. `False` for heads that are slices of the vectors,
            without `Q`, `K`, `V` and `O`; `units` must then be their width.
            Defaults to `True`.
        top: integer. Each head takes only so many events, those of its largest
            scores. Defaults to `None`, all.
        **kwargs: arguments of `keras.layers.Layer`.

    Input shape:
        List of the target, `(batch, dim)`, the events, `(batch, length, dim)`,
        and, unless all are events, the mask, `(batch, length)` booleans. If all
        places are masked, they count alike, so that zero padding gives zero.

    Output shape:
        `(batch, dim)`.

    Raises:
        ValueError: for heads that do not divide the width.

    Example:

    >>> target = np.ones((2, 4), dtype="float32")
    >>> events = np.ones((2, 3, 4), dtype="float32")
    >>> TargetAttention(8, num_heads=2)([target, events]).shape
    (2, 4)

    Reference:
    - [Vaswani et al., 2017](https://arxiv.org/abs/1706.03762), section 3.2.
    - [Chang et al., 2023](https://arxiv.org/abs/2302.02352), for `top`.
    """

    def __init__(
        self,
        units,
        num_heads=1,
        *,
        dropout=0.0,
        scaled=True,
        projected=True,
        top=None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        check_heads("units", units, num_heads)
        check_rate("dropout", dropout)
        check_boolean("scaled", scaled)
        check_boolean("projected", projected)
        check_positive_integer_or_none("top", top)
        self.units = units
        self.num_heads = num_heads
        self.rate = dropout
        self.dropout = keras.layers.Dropout(dropout, dtype=self.dtype_policy)
        self.scaled = scaled
        self.projected = projected
        self.top = top

    def build(self, input_shape):
        dim = input_shape[0][-1]
        if self.projected:
            self.query_kernel, self.key_kernel, self.value_kernel = (
                self.add_weight(
                    shape=(dim, self.units),
                    initializer="glorot_normal",
                    name=f"{each}_kernel",
                )
                for each in ("query", "key", "value")
            )
            self.output_kernel = self.add_weight(
                shape=(self.units, dim),
                initializer="glorot_normal",
                name="output_kernel",
            )

    def call(self, inputs, training=None):
        target, events, *mask = inputs
        scores = self._scores(target, events)
        if mask:
            scores = lowered(scores, mask[0][:, None])
        if self.top is None or self.top >= events.shape[1]:
            events = events[:, None]
        else:
            places = top_places(scores, self.top)
            scores = take_at(scores, places, axis=-1)
            events = events_at(events, places)
        weights = self.dropout(ops.softmax(scores, axis=-1), training=training)
        return self._output(weights, events)

    def _scores(self, target, events):
        """The score of each event for each head, `(batch, heads, length)`."""
        if self.projected:
            query = self._heads(ops.matmul(target, self.query_kernel))
            query = ops.einsum(
                "bhu,dhu->bhd", query, self._heads(self.key_kernel)
            )
            scores = ops.einsum("bhd,bld->bhl", query, events)
        else:
            scores = ops.einsum(
                "bhu,blhu->bhl", self._heads(target), self._heads(events)
            )
        if self.scaled:
            scores = scores / (self.units // self.num_heads) ** 0.5
        return scores

    def _output(self, weights, events):
        """The heads' sums of `(batch, heads or 1, length, dim)` events."""
        if events.shape[1] == 1:
            sums = ops.einsum("bhl,bld->bhd", weights, events[:, 0])
        else:
            sums = ops.einsum("bhl,bhld->bhd", weights, events)
        if not self.projected:
            # Each head keeps its own slice of its sum.
            sums = ops.reshape(sums, (-1, self.num_heads, *self._heads_shape()))
            own = ops.diagonal(sums, axis1=1, axis2=2)
            return ops.reshape(ops.swapaxes(own, 1, 2), (-1, self.units))
        values = ops.einsum(
            "bhd,dhu->bhu", sums, self._heads(self.value_kernel)
        )
        return ops.matmul(
            ops.reshape(values, (-1, self.units)), self.output_kernel
        )

    def _heads(self, tensor):
        """`(..., units)` as `(..., heads, units / heads)`."""
        shape = [-1, *tensor.shape[1:-1], *self._heads_shape()]
        return ops.reshape(tensor, shape)

    def _heads_shape(self):
        return (self.num_heads, self.units // self.num_heads)

    def compute_output_shape(self, input_shape):
        return input_shape[0]

    def get_config(self):
        return {
            **super().get_config(),
            "units": self.units,
            "num_heads": self.num_heads,
            "dropout": self.rate,
            "scaled": self.scaled,
            "projected": self.projected,
            "top": self.top,
        }
